"""Timing: single calls at a depth, in turns with bare transactions, judged by counting.

Everything of the kit's that could cost time is off meanwhile: virtual time, recording, the oracle's triggers.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, Any

from pytest_taskq.contract import Finding, Instrument, Requirement, Verdict
from pytest_taskq.instruments.timing_calls import calls_of
from pytest_taskq.instruments.timing_conditions import disturbance, environment
from pytest_taskq.instruments.timing_floor import floor_beside
from pytest_taskq.instruments.timing_site import Site, site_of
from pytest_taskq.latency.blocks import Block, Pair
from pytest_taskq.latency.growth import Growth
from pytest_taskq.latency.judgement import Measurement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.instruments.timing_calls import TimedCall
    from pytest_taskq.instruments.timing_floor import Floor
    from pytest_taskq.subject import Bench, Subject

DEPTH = 10_000
_TARGETS: Mapping[str, float] = {"LAT-01": 0.010, "LAT-02": 0.005, "LAT-03": 0.005, "LAT-04": 0.050}
JUDGED = (*_TARGETS, "LAT-06")
_FIRST, _BLOCK = 8, 25  # calls of a block: before the first look, and after it
_MOST_FLOOR = 4  # transactions of the floor for each call
_WORST_FIRST = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS)


def _forget(_name: str, _seconds: Sequence[float]) -> None:
    return None


class TimingJudge:
    """Judges one requirement; ``keep`` is given the seconds of each call by its name, for others to compare."""

    def __init__(self, keep: Callable[[str, Sequence[float]], None] = _forget) -> None:
        self._keep = keep

    def supports(self, subject: Subject) -> str | None:
        """Return None: a call of any queue can be timed."""
        del subject
        return None

    def judge(self, requirement: Requirement, bench: Bench, budget: Budget) -> Finding:
        """Return the worst verdict of its calls with the figures of all, or why none was timed."""
        hindrance = _hindrance(requirement, budget)
        if hindrance and budget.latency != "on":
            return Finding.of(requirement, Instrument.TIMING, Verdict.INCONCLUSIVE, reason=hindrance)
        measure = _measured if requirement.id in _TARGETS else _grown
        with bench.unclocked():
            timed = measure(requirement, bench, budget)
        for one in timed.measurements:
            self._keep(one.name, one.seconds)
        return timed.finding(requirement, hindrance)


def _hindrance(requirement: Requirement, budget: Budget) -> str:
    if budget.beside:
        return f"not timed beside other tests; this times it: {budget.beside}"
    return disturbance(_TARGETS.get(requirement.id, min(_TARGETS.values())))


@dataclass(frozen=True, slots=True)
class Timed:
    """What was measured for one requirement."""

    measurements: Sequence[Measurement]
    environment: Mapping[str, Any]

    def finding(self, requirement: Requirement, hindrance: str) -> Finding:
        """Return what it says; a ``hindrance`` keeps the figures and takes their meaning."""
        judged = [(one, one.judgement) for one in self.measurements]
        verdict = next(each for each in _WORST_FIRST if each in {one.verdict for _, one in judged})
        decisive = next(one.reason for _, one in judged if one.verdict is verdict)
        figures = [str(one) for one in self.measurements]
        details = {
            "latency": {
                "calls": [one.as_details() for one in self.measurements],
                "environment": {**self.environment, "hindrance": hindrance},
            }
        }
        if hindrance:
            verdict, decisive = Verdict.INCONCLUSIVE, f"{hindrance}; what was timed: {'; '.join(figures)}"
        elif verdict is Verdict.FAIL:
            decisive = f"expected {requirement.text.rstrip('.')}; seen {decisive}"
        return Finding.of(
            requirement,
            Instrument.TIMING,
            verdict,
            explored="; ".join(figures) if verdict is Verdict.PASS else "",
            reason="" if verdict is Verdict.PASS else decisive,
            evidence="" if verdict is Verdict.PASS else self._evidence(requirement, judged, figures),
            details=details,
        )

    def _evidence(self, requirement: Requirement, judged: Iterable[tuple[Measurement, Any]], figures: list[str]) -> str:
        reasons = [f"{'seen':<11}{one.reason}" for _, one in judged if one.reason]
        lines = [f"{'expected':<11}{requirement.text}", *reasons]
        lines += [f"{'timed':<11}{figure}" for figure in figures]
        return "\n".join([*lines, f"{'floor':<11}{self.environment['floor']}"])


# --- LAT-01 to LAT-04: a percentile at one depth ----------------------------------------------------------------------


def _measured(requirement: Requirement, bench: Bench, budget: Budget) -> Timed:
    target = _TARGETS[requirement.id]
    chance = random.Random(budget.seed_for(requirement.id))  # noqa: S311 - which of two blocks comes first
    with site_of(bench, DEPTH, 4 * budget.seconds) as site, floor_beside(site.queue, DEPTH) as floor:
        measured = [_series(site, floor, call, target, budget, chance) for call in calls_of(requirement, bench.subject)]
        return Timed(measured, environment(bench.backend, floor.described, site.waiting))


def _series(
    site: Site, floor: Floor, call: TimedCall, target: float, budget: Budget, chance: random.Random
) -> Measurement:
    site.warm_up(call)
    site.floor_block(floor, call.change, _FIRST)
    looks = budget.samples
    found = Measurement(name=call.name, method=call.method, pairs=(), target=target, looks=len(looks))
    until = monotonic() + budget.seconds
    for samples in looks:
        while (missing := samples - len(found.seconds)) > 0 and (monotonic() < until or not found.pairs):
            site.queue.tell(f"{len(found.seconds)} of {samples} to {looks[-1]} calls timed, {call.name}")
            size = _FIRST if samples == looks[0] else min(_BLOCK, missing)
            found = replace(found, pairs=(*found.pairs, _pair(site, floor, call, size, found.pairs, chance)))
        if found.judgement.verdict is not Verdict.INCONCLUSIVE or monotonic() >= until:
            break
    site.prove_depth(call)
    return found


def _pair(site: Site, floor: Floor, call: TimedCall, size: int, before: Sequence[Pair], chance: random.Random) -> Pair:
    """Return a block of the call and one of the floor that takes about as long, in either order."""
    longer = min(_MOST_FLOOR, max(1, round(before[-1].ratio))) if before else 1
    return Pair(
        *_in_turns(lambda: site.block(call, size), lambda: site.floor_block(floor, call.change, size * longer), chance)
    )


def _in_turns(one: Callable[[], Block], other: Callable[[], Block], chance: random.Random) -> tuple[Block, Block]:
    if chance.random() < 0.5:  # noqa: PLR2004 - heads or tails
        first = one()
        return first, other()
    second = other()
    return one(), second


# --- LAT-06: growth from one depth to another -------------------------------------------------------------------------

_SHALLOW, _MOST_GROWTH = 1_000, 3.0
_PAIRS = (32, 64)
_CLAIMS, _SLOW = 8, 0.010  # claims of a block, and the seconds from which a claim is a block by itself


def _grown(requirement: Requirement, bench: Bench, budget: Budget) -> Timed:
    chance = random.Random(budget.seed_for(requirement.id))  # noqa: S311 - which of two blocks comes first
    with (
        site_of(bench, _SHALLOW, budget.seconds) as shallow,
        site_of(bench, budget.deep, 4 * budget.seconds) as deep,
    ):
        calls = calls_of(requirement, bench.subject)
        measured = [_growth(shallow, deep, call, budget, chance) for call in calls]
        described = f"the same claim at {_SHALLOW} queued"
        return Timed(measured, environment(bench.backend, described, deep.waiting))


def _growth(shallow: Site, deep: Site, call: TimedCall, budget: Budget, chance: random.Random) -> Measurement:
    for site in (shallow, deep):
        site.warm_up(call)
    pairs: list[Pair] = []
    claims = _CLAIMS if deep.block(call, 1).median < _SLOW else 1
    until = monotonic() + 4 * budget.seconds
    for look in _PAIRS:
        while len(pairs) < look and (monotonic() < until or not pairs):
            deep.queue.tell(f"pair {len(pairs) + 1} of {look}, {call.name} at {deep.depth} queued")
            blocks = _in_turns(lambda: deep.block(call, claims), lambda: shallow.block(call, claims), chance)
            pairs.append(Pair(*blocks))
        found = Growth(
            name=call.name,
            method=call.method,
            pairs=tuple(pairs),
            looks=len(_PAIRS),
            deep=deep.depth,
            shallow=shallow.depth,
            limit=_MOST_GROWTH,
        )
        if found.judgement.verdict is not Verdict.INCONCLUSIVE:
            break
    deep.prove_depth(call)
    return found
