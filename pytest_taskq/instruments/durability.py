"""What the storage may do to a queue: DUR-02, a fault in the middle of each writing call."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_taskq.contract import Finding, Instrument, Verdict
from pytest_taskq.faults.file_calls import why_out_of_reach
from pytest_taskq.faults.operations import Operation, operations
from pytest_taskq.faults.storage import FAULTS, strike
from pytest_taskq.faults.survivors import SHOWS_NOTHING, shows_nothing
from pytest_taskq.subject.violation import ContractViolation, InconclusiveError, NotJudgedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_taskq.contract import Requirement
    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.subject import Bench, Subject

_STRIKES = {"smoke": 1, "pr": 24, "soak": 10_000}
_LONGEST = {"smoke": 30.0, "pr": 120.0, "soak": 1_800.0}  # seconds; code that waits for a broken disk to mend is slow


@dataclass
class Strikes:
    """What a PASS rests on."""

    began: float = field(default_factory=time.monotonic)
    calls: list[str] = field(default_factory=list)
    count: int = 0

    def refuse_if_late(self, budget: Budget) -> None:
        """Raise InconclusiveError once the time for this requirement is used up."""
        if time.monotonic() - self.began > _LONGEST[budget.effort]:
            raise InconclusiveError(f"{_LONGEST[budget.effort]:g} s were used up after {self.count} faults")

    def __str__(self) -> str:
        return f"{self.count} faults ({', '.join(fault.name for fault in FAULTS)}) in {', '.join(self.calls)}"


class StorageFaultsJudge:
    """Judges DUR-02: each writing call, each fault, at each call on files that it concerns."""

    def supports(self, subject: Subject) -> str | None:
        """Return why not where the files of SQLite cannot be watched."""
        del subject
        return why_out_of_reach()

    def judge(self, requirement: Requirement, bench: Bench, budget: Budget) -> Finding:
        """Return PASS with what was explored; a fault that is hidden or leaves its mark raises ContractViolation."""
        if shows_nothing(bench.subject):
            return _finding(requirement, Verdict.NOT_OFFERED, reason=SHOWS_NOTHING)
        strikes = Strikes()
        for operation in operations(bench.subject).values():
            if budget.effort == "soak" or not operation.thorough:
                _under(bench, operation, budget, strikes)
        if not strikes.count and bench.subject.standalone:
            reason = "no call on a file in the folder that it was given was seen"
            return _finding(requirement, Verdict.UNSUPPORTED, reason=reason)
        if not strikes.count:
            raise NotJudgedError("no fault struck: no writing call touched its files while it was under way")
        return _finding(requirement, Verdict.PASS, explored=str(strikes))


def _finding(requirement: Requirement, verdict: Verdict, *, explored: str = "", reason: str = "") -> Finding:
    return Finding(
        requirement=requirement.id,
        instrument=Instrument.CRASH_POINTS,
        verdict=verdict,
        explored=explored,
        reason=reason,
    )


def _under(bench: Bench, operation: Operation, budget: Budget, strikes: Strikes) -> None:
    seed = budget.seed_for(operation.name)
    control = strike(bench, operation, seed=seed)
    if control.outcome.error is not None or control.breach is not None:
        raise NotJudgedError(f"{control.outcome.call} goes wrong where no fault strikes: {control.breach}")
    strikes.calls.append(operation.name)
    for fault in FAULTS:
        for at in positions(sum(map(fault.concerns, control.calls)), _STRIKES[budget.effort]):
            strikes.refuse_if_late(budget)
            found = strike(bench, operation, seed=seed, fault=fault, at=at, undisturbed=control.after)
            strikes.count += found.struck
            if found.struck and found.breach is not None:
                raise ContractViolation(found.breach.expected, found.breach.seen, calls=found.lines)


def positions(count: int, most: int) -> Sequence[int]:
    """Return at most ``most`` of 1 to ``count``, spread evenly from the first to the last; the last if it is one."""
    if count <= most:
        return range(1, count + 1)
    if most == 1:
        return [count]
    return sorted({1 + round(step * (count - 1) / (most - 1)) for step in range(most)})
