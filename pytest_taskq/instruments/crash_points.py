"""Crash points: the process dies at each statement boundary of a call, and what it leaves is opened anew."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pytest_taskq.contract import Finding, Instrument, Verdict
from pytest_taskq.faults.killer import course_breach
from pytest_taskq.faults.operations import claim_calls, operations
from pytest_taskq.faults.real_death import REALLY
from pytest_taskq.faults.rules import attempts_kept
from pytest_taskq.faults.survivors import SHOWS_NOTHING, shows_nothing
from pytest_taskq.faults.sweep import OutOfReachError
from pytest_taskq.instruments.means import means_of
from pytest_taskq.subject.violation import ContractViolation, InconclusiveError, NotJudgedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_taskq.contract import Requirement
    from pytest_taskq.faults.operations import Operation
    from pytest_taskq.faults.rules import Breach
    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.subject import Bench, Subject

_METHODS = {
    "ENQ-08": ("enqueue", "enqueue_many", "enqueue_in"),
    "CLM-05": ("fail_task", "reclaim_expired"),
    "CLM-06": ("claim_task", "claim_by", "claim_many"),
    "FIN-06": ("complete_task", "fail_task"),
    "MNT-04": ("delete_finished",),
}
JUDGED = tuple(_METHODS)


@dataclass
class Explored:
    """What a PASS rests on."""

    calls: list[str] = field(default_factory=list)
    points: int = 0
    states: int = 0
    unconfirmed: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.points} deaths of {len(self.calls)} calls left {self.states} states: {', '.join(self.calls)}"


class CrashPointsJudge:
    """Judges requirements about the death of a process."""

    def supports(self, subject: Subject) -> str | None:
        """Return None: whether the code can be reached shows when it runs."""
        del subject
        return None

    def judge(self, requirement: Requirement, bench: Bench, budget: Budget) -> Finding:
        """Return PASS with what was explored; a death that leaves what it must not raises ContractViolation."""
        if shows_nothing(bench.subject):
            return Finding.of(requirement, Instrument.CRASH_POINTS, Verdict.NOT_OFFERED, reason=SHOWS_NOTHING)
        explored = Explored()
        try:
            for operation in swept(requirement, bench.subject, budget):
                means_of(bench).sweep(bench, operation, budget, explored)
            if requirement.id == "CLM-05":
                die_every_time(bench, budget, explored)
        except OutOfReachError as error:
            if not bench.subject.standalone:
                raise
            return Finding.of(requirement, Instrument.CRASH_POINTS, Verdict.UNSUPPORTED, reason=str(error))
        if explored.unconfirmed:
            raise InconclusiveError(f"not confirmed by a real death: {'; '.join(explored.unconfirmed)}")
        if not explored.points:
            raise NotJudgedError(f"none of the calls that {requirement.id} is about could be made")
        return Finding.of(requirement, Instrument.CRASH_POINTS, Verdict.PASS, explored=str(explored))


def swept(requirement: Requirement, subject: Subject, budget: Budget) -> Sequence[Operation]:
    """Return the calls whose deaths decide the requirement."""
    methods = _METHODS[requirement.id]
    found = [
        one
        for one in operations(subject).values()
        if one.method in methods and not (one.thorough and budget.effort == "smoke")
    ]
    if requirement.id == "CLM-05":  # only what it says of a failure: FIN-06 judges the rest
        return [replace(one, rule=attempts_kept) if one.method == "fail_task" else one for one in found]
    return found


def confirm(explored: Explored, what: str, breach: Breach, really: Breach | None, calls: Sequence[str]) -> None:
    """Raise ContractViolation for a breach that a real death shows too; note that it was not confirmed otherwise."""
    if really is not None:
        raise ContractViolation(really.expected, f"{really.seen}\n{REALLY}", calls=calls)
    explored.unconfirmed.append(f"{what}: {breach.seen}")


def die_every_time(bench: Bench, budget: Budget, explored: Explored) -> None:
    """Judge how often a task is claimed that kills its worker in every claim."""
    ways = {name: method for name, (method, _) in claim_calls(bench.subject).items() if bench.subject.offers(method)}
    own = [name for name, method in ways.items() if method in bench.subject.own] or [next(iter(ways))]
    for way in own[:1] if budget.effort == "smoke" else own:
        for early in (True, False):
            _one_course(bench, way, budget, explored, early=early)


def _one_course(bench: Bench, way: str, budget: Budget, explored: Explored, *, early: bool) -> None:
    means, seed = means_of(bench), budget.seed_for(way)
    found = means.course(bench, way, seed=seed, early=early)
    explored.calls.append(f"{way} until it is given up")
    explored.points += len(found.deaths)
    explored.states += len(found.deaths)
    breach = course_breach(found, bench)
    if breach is None:
        return
    real, really = means.real_course(bench, way, found, breach, seed=seed, early=early)
    confirm(explored, f"{way} with a death in every claim", breach, really, real.lines if real.deaths else ())
