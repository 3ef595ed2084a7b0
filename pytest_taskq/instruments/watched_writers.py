"""Writers beside a dashboard: whether they keep their latency while statistics are read in a loop (OBS-04)."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from statistics import fmean, median
from typing import TYPE_CHECKING

from pytest_taskq.contract import Finding, Instrument, Requirement, Verdict
from pytest_taskq.instruments.history import HistoryJudge, fresh_stage
from pytest_taskq.instruments.history_evidence import Unshared
from pytest_taskq.instruments.load import not_alone
from pytest_taskq.latency.exceedance import Exceedance
from pytest_taskq.latency.judgement import Measurement, in_ms
from pytest_taskq.recording.watching import Watching

if TYPE_CHECKING:
    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.latency.blocks import Block, Pair
    from pytest_taskq.subject import Bench, Subject

TARGET = 0.010  # seconds: what an enqueue may take without anybody beside it (LAT-01)
SLOWER = 2.0  # times what it takes beside a reader of another store
_PAIRS = {"smoke": 8, "pr": 24, "soak": 200}
_EVEN = 0.5
_TAIL = 0.05  # of the moments
_OFTENER = 4.0  # times as often as beside the other store: a checkpoint keeps a quick writer waiting there, too
_FEW = 0.25  # of the pairs
_MORE = (40, 64)  # pairs, where the first are not enough


class WatchedWritersJudge:
    """Judges what reading statistics costs a writer, by the writer's own calls.

    FAIL says that in nearly every pair of blocks (a sign test) a writer would wait for longer than LAT-01's target at
    more than 5 % of all moments, takes ``SLOWER`` times as long on average as beside a reader of another store, and
    waits far less often there. PASS says one of two: the target is kept at p95 and few pairs speak against it, or
    nearly every pair lies below that ratio.
    """

    def supports(self, subject: Subject) -> str | None:
        """Return why another process cannot make the adapter, None if it can."""
        return HistoryJudge().supports(subject)

    def judge(self, requirement: Requirement, bench: Bench, budget: Budget) -> Finding:
        """Return PASS, FAIL or INCONCLUSIVE with the percentiles of the writer and the ratio."""
        if budget.beside:
            return not_alone(requirement, budget)
        try:
            with fresh_stage(bench, budget) as stage, bench.queue(in_real_time=True) as other:
                watching = Watching(stage, other)
                measured = _measured(watching, _PAIRS[budget.effort])
        except Unshared as found:
            return Finding.of(requirement, Instrument.TIMING, Verdict.UNSUPPORTED, reason=str(found))
        verdict, shown = verdict_of(measured), f"{measured}; statistics were read {watching.counts} times"
        passed = verdict is Verdict.PASS
        return Finding.of(
            requirement,
            Instrument.TIMING,
            verdict,
            explored=shown if passed else "",
            reason="" if passed else _reason(measured, verdict),
            evidence=shown if verdict is Verdict.FAIL else "",
            details={"latency": {"calls": [{**measured.as_details(), "verdict": verdict.value}]}},
        )


def _measured(watching: Watching, least: int) -> Measurement:
    pairs = watching.pairs()
    measured = Measurement(
        name="enqueue while statistics are read",
        method="enqueue",
        pairs=tuple(islice(pairs, least)),
        target=TARGET,
        looks=1 + len(_MORE),
    )
    for wanted in _MORE:
        if verdict_of(measured) is not Verdict.INCONCLUSIVE:
            break
        more = islice(pairs, max(0, wanted - len(measured.pairs)))
        measured = replace(measured, pairs=(*measured.pairs, *more))
    return measured


def waits(block: Block) -> float:
    """Return the share of moments at which a writer that comes would have to wait for longer than the target.

    Not the share of calls: a writer that is kept waiting makes the fewer calls, and between two counts many quick ones.
    """
    return sum(max(0.0, one - TARGET) for one in block.own) / max(sum(block.own), 1e-12)


def is_slower(pair: Pair) -> bool:
    """Whether a writer waits too often beside a reader of its store, and far less often beside the other one."""
    return waits(pair.call) > max(_TAIL, _OFTENER * waits(pair.floor)) and _ratio(pair) > SLOWER


def verdict_of(measured: Measurement) -> Verdict:
    """Return what the target and the pairs say together."""
    pairs, samples = measured.pairs, len(measured.pairs)
    slower = sum(map(is_slower, pairs))
    counted = (slower, sum(_ratio(pair) > SLOWER for pair in pairs))
    by_wait, by_ratio = (
        Exceedance(samples=samples, exceeded=one, share=_EVEN, looks=measured.looks).verdict for one in counted
    )
    if by_wait is Verdict.FAIL:
        return Verdict.FAIL
    kept = measured.judgement.verdict is Verdict.PASS and slower <= samples * _FEW
    return Verdict.PASS if kept or by_ratio is Verdict.PASS else Verdict.INCONCLUSIVE


def _ratio(pair: Pair) -> float:
    """Return how many times as long a write takes on average as beside a reader of another store."""
    return fmean(pair.call.seconds) / max(fmean(pair.floor.seconds), 1e-12)


def _reason(measured: Measurement, verdict: Verdict) -> str:
    slower = sum(map(is_slower, measured.pairs))
    waited = median(waits(pair.call) for pair in measured.pairs)
    pairs = (
        f"in {slower} of {len(measured.pairs)} pairs of blocks a writer waits longer than that at more than "
        f"{_TAIL:.0%} of all moments (median {waited:.0%}), {_OFTENER:g} times as often as beside "
        f"statistics of another store; it takes {median(map(_ratio, measured.pairs)):.1f} times as long on average"
    )
    if verdict is Verdict.FAIL:
        return f"expected writers to keep p95 < {in_ms(TARGET)} while statistics are read; seen that {pairs}"
    return f"{measured.judgement.reason or 'too few pairs agree'}; {pairs}"
