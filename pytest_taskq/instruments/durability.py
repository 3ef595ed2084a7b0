"""What the storage may do to a queue: faults in the middle of writing calls (DUR-02), and power cuts (DUR-01)."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_taskq.contract import Finding, Instrument, Verdict
from pytest_taskq.faults.disk import cuts
from pytest_taskq.faults.file_calls import why_out_of_reach
from pytest_taskq.faults.operations import Operation, operations
from pytest_taskq.faults.power import PowerRecording, cut_lines, record_files
from pytest_taskq.faults.rules import Breach, Left
from pytest_taskq.faults.storage import FAULTS, strike
from pytest_taskq.faults.survivors import SHOWS_NOTHING, integrity_problem, read_rows, shows_nothing
from pytest_taskq.faults.sweep import OutOfReachError
from pytest_taskq.subject.violation import ContractViolation, InconclusiveError, NotJudgedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_taskq.contract import Requirement
    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.sqlite.files import Image
    from pytest_taskq.subject import Bench, Subject

STRIKES = {"smoke": 1, "pr": 24, "soak": 10_000}
_LONGEST = {"smoke": 30.0, "pr": 120.0, "soak": 1_800.0}  # seconds; code that waits for a broken disk to mend is slow


@dataclass
class Strikes:
    """What a PASS rests on."""

    faults: str = ", ".join(fault.name for fault in FAULTS)
    began: float = field(default_factory=time.monotonic)
    calls: list[str] = field(default_factory=list)
    count: int = 0

    def refuse_if_late(self, budget: Budget) -> None:
        """Raise InconclusiveError once the time for this requirement is used up."""
        if time.monotonic() - self.began > _LONGEST[budget.effort]:
            raise InconclusiveError(f"{_LONGEST[budget.effort]:g} s were used up after {self.count} faults")

    def __str__(self) -> str:
        return f"{self.count} faults ({self.faults}) in {', '.join(self.calls)}"


class StorageFaultsJudge:
    """Judges DUR-02: each writing call, each fault, at each call on files that it concerns."""

    def supports(self, subject: Subject) -> str | None:
        """Return why not where the files of SQLite cannot be watched."""
        del subject
        return why_out_of_reach()

    def judge(self, requirement: Requirement, bench: Bench, budget: Budget) -> Finding:
        """Return PASS with what was explored; a fault that is hidden or leaves its mark raises ContractViolation."""
        if shows_nothing(bench.subject):
            return Finding.of(requirement, Instrument.CRASH_POINTS, Verdict.NOT_OFFERED, reason=SHOWS_NOTHING)
        strikes = Strikes()
        chosen = [one for one in operations(bench.subject).values() if budget.effort == "soak" or not one.thorough]
        for number, operation in enumerate(chosen, 1):
            bench.tell(f"call {number} of {len(chosen)}, {operation.name}")
            _under(bench, operation, budget, strikes)
        if not strikes.count and bench.subject.standalone:
            reason = "no call on a file in the folder that it was given was seen"
            return Finding.of(requirement, Instrument.CRASH_POINTS, Verdict.UNSUPPORTED, reason=reason)
        if not strikes.count:
            raise NotJudgedError("no fault struck: no writing call touched its files while it was under way")
        return Finding.of(requirement, Instrument.CRASH_POINTS, Verdict.PASS, explored=str(strikes))


def _under(bench: Bench, operation: Operation, budget: Budget, strikes: Strikes) -> None:
    seed = budget.seed_for(operation.name)
    control = strike(bench, operation, seed=seed)
    wrong = control.outcome if control.outcome.error is not None else control.breach
    if wrong is not None:
        raise NotJudgedError(f"{control.outcome.call} goes wrong where no fault strikes: {wrong}")
    strikes.calls.append(operation.name)
    for fault in FAULTS:
        for at in positions(sum(map(fault.concerns, control.calls)), STRIKES[budget.effort]):
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


# --- DUR-01 -----------------------------------------------------------------------------------------------------------

_CUTS = {"smoke": 1, "pr": 24, "soak": 10_000}
_PARTS = 2


@dataclass
class Cuts:
    """What a PASS of DUR-01 rests on."""

    calls: list[str] = field(default_factory=list)
    points: int = 0
    images: int = 0
    syncs: int = 0

    def __str__(self) -> str:
        return (
            f"{self.images} images of the disk after {self.points} power cuts between {self.syncs} syncs "
            f"in {', '.join(self.calls)}"
        )


class PowerJudge:
    """Judges DUR-01 where ``durability="power"`` is promised."""

    def supports(self, subject: Subject) -> str | None:
        """Return why not where the files of SQLite cannot be watched."""
        del subject
        return why_out_of_reach()

    def judge(self, requirement: Requirement, bench: Bench, budget: Budget) -> Finding:
        """Return PASS with what was explored; an image without what was acknowledged raises ContractViolation."""
        reason = no_power(bench.subject)
        if reason:
            return Finding.of(requirement, Instrument.CRASH_POINTS, Verdict.NOT_OFFERED, reason=reason)
        explored = Cuts()
        try:
            for operation in operations(bench.subject).values():
                if budget.effort == "soak" or not operation.thorough:
                    _cut_during(bench, operation, budget, explored)
        except OutOfReachError as error:
            if not bench.subject.standalone:
                raise
            return Finding.of(requirement, Instrument.CRASH_POINTS, Verdict.UNSUPPORTED, reason=str(error))
        if not explored.images:
            raise NotJudgedError("no writing call touched its files while it was under way")
        return Finding.of(requirement, Instrument.CRASH_POINTS, Verdict.PASS, explored=str(explored))


def no_power(subject: Subject) -> str | None:
    """Return why a power cut is no matter of the subject's, None if it is."""
    if subject.promises.durability != "power":
        return f"durability: {subject.promises.durability!r} is promised, which a power cut does not concern"
    return SHOWS_NOTHING if shows_nothing(subject) else None


def _cut_during(bench: Bench, operation: Operation, budget: Budget, explored: Cuts) -> None:
    seed = budget.seed_for(operation.name)
    recording = record_files(bench, operation, seed=seed)
    last = len(recording.calls)
    at = {0, *positions(last, _CUTS[budget.effort])}
    explored.calls.append(operation.name)
    explored.points += len(at)
    explored.syncs += sum(call.kind == "sync" for call in recording.calls)
    judged: dict[tuple[bool, tuple[tuple[str, bytes], ...]], Breach | None] = {}
    for cut in cuts(recording.start, recording.calls, at, seed=seed, parts=_PARTS):
        key = (cut.made == last, tuple(sorted(cut.files.items())))
        if key not in judged:
            judged[key] = _after_cut(bench, recording, cut.files, acknowledged=cut.made == last)
            explored.images += 1
        breach = judged[key]
        if breach and cut.made == 0:
            raise NotJudgedError(f"{recording.outcome.call} goes wrong before it begins: {breach.seen}")
        if breach:
            raise ContractViolation(breach.expected, breach.seen, calls=cut_lines(recording, cut))


def _after_cut(bench: Bench, recording: PowerRecording, files: Image, *, acknowledged: bool) -> Breach | None:
    bench.clock.milliseconds = recording.moment
    with bench.restored(files) as queue:
        try:
            problem = integrity_problem(queue)
            if problem:
                return Breach("the database is whole", problem)
            now = read_rows(queue, recording.known)
        except sqlite3.DatabaseError as error:
            return Breach("the database is whole and can be read", f"{type(error).__name__}: {error}")
        left = Left(before=recording.before, now=now, after=recording.after, acknowledged=acknowledged)
        return recording.operation.rule(left, recording.scene)
