"""Crash points where tasks are in files: at each statement boundary they are copied, and the copy is opened anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq.faults.aftermath import Aftermath
from pytest_taskq.faults.evidence import death_lines
from pytest_taskq.faults.real_death import killed_at
from pytest_taskq.faults.sweep import OutOfReachError, record
from pytest_taskq.instruments.crash_points import confirm
from pytest_taskq.sqlite.files import holds_sqlite
from pytest_taskq.subject.violation import NotJudgedError

if TYPE_CHECKING:
    from pytest_taskq.faults.operations import Operation
    from pytest_taskq.faults.rules import Breach
    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.instruments.crash_points import Explored
    from pytest_taskq.subject import Bench


def sweep(bench: Bench, operation: Operation, budget: Budget, explored: Explored) -> None:
    """Judge what each death during the operation leaves. Raises ContractViolation for one that a real kill confirms."""
    recording = record(bench, operation, seed=budget.seed_for(operation.name))
    if bench.subject.standalone and not holds_sqlite(recording.after):
        raise OutOfReachError(f"no SQLite file lies in the folder that it was given, after {recording.outcome.call}")
    aftermath = Aftermath.of(bench, recording)
    undisturbed = aftermath.undisturbed()
    if undisturbed:
        raise NotJudgedError(f"{recording.outcome.call} goes wrong where nothing is cut short: {undisturbed}")
    explored.calls.append(operation.name)
    explored.points += len(recording.statements) + 1
    explored.states += len(recording.boundaries)
    for boundary in recording.boundaries[1:]:
        bench.tell(f"death {boundary.number} of {len(recording.statements)}, {operation.name}")
        acknowledged = boundary is recording.boundaries[-1]
        breach = aftermath.breach(boundary.image, acknowledged=acknowledged)
        if breach:
            really = _breach_of_real_death(aftermath, boundary.number, budget)
            what = f"{operation.name} before statement {boundary.number + 1}"
            confirm(explored, what, breach, really, death_lines(recording, boundary.number))


def _breach_of_real_death(aftermath: Aftermath, number: int, budget: Budget) -> Breach | None:
    recording = aftermath.recording
    name = recording.operation.name
    job = {"operation": name, "seed": budget.seed_for(name), "die_at": number}
    image = killed_at(aftermath.bench, recording.start, recording.began, job)
    return aftermath.breach(image, acknowledged=number == len(recording.statements))
