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
    from pytest_taskq.subject import Bench, Subject

TARGET = 0.010  # seconds: what an enqueue may take without anybody beside it (LAT-01)
SLOWER = 2.0  # times what it takes beside a reader of another store
_PAIRS = {"smoke": 8, "pr": 24, "soak": 200}
_EVEN = 0.5
_MORE = (40, 64)  # pairs, where the first are not enough


class WatchedWritersJudge:
    """Judges what reading statistics costs a writer, by the writer's own calls.

    FAIL says two things at once: too many enqueues exceed LAT-01's target although those beside a reader of another
    store keep well below it (`latency.judgement`), and in nearly every pair of blocks they take more than ``SLOWER``
    times as long as there (a sign test). PASS says one of the two: the target is kept while statistics are read, or
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


def ratios_of(measured: Measurement) -> list[float]:
    """Return how many times as long a write takes in each pair, on average.

    Not by medians: a writer that waits for each count may write a few times quickly before the next one begins.
    """
    return [fmean(pair.call.seconds) / max(fmean(pair.floor.seconds), 1e-12) for pair in measured.pairs]


def verdict_of(measured: Measurement) -> Verdict:
    """Return what the target and the ratio say together."""
    ratios = ratios_of(measured)
    slower = sum(one > SLOWER for one in ratios)
    paired = Exceedance(samples=len(ratios), exceeded=slower, share=_EVEN, looks=measured.looks).verdict
    absolute = measured.judgement.verdict
    if Verdict.PASS in (absolute, paired):
        return Verdict.PASS
    return Verdict.FAIL if absolute is paired is Verdict.FAIL else Verdict.INCONCLUSIVE


def _reason(measured: Measurement, verdict: Verdict) -> str:
    ratios = ratios_of(measured)
    slower = sum(one > SLOWER for one in ratios)
    pairs = (
        f"in {slower} of {len(ratios)} pairs of blocks it takes more than {SLOWER:g} times as long as beside "
        f"statistics of another store (median {median(ratios):.1f} times)"
    )
    if verdict is Verdict.FAIL:
        expected = f"expected writers to keep p95 < {in_ms(TARGET)} while statistics are read"
        return f"{expected}; seen {measured.judgement.reason}, and {pairs}"
    return f"{measured.judgement.reason or 'the target is missed'}; {pairs}"
