"""Crash points where tasks are on a server: the client dies at each statement boundary, and another one looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq.faults.evidence import death_lines
from pytest_taskq.faults.server_deaths import breach_of_death, breach_of_real_death, whole_call
from pytest_taskq.instruments.crash_points import confirm
from pytest_taskq.subject.violation import NotJudgedError

if TYPE_CHECKING:
    from pytest_taskq.faults.operations import Operation
    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.instruments.crash_points import Explored
    from pytest_taskq.subject import Bench


def sweep_on_server(bench: Bench, operation: Operation, budget: Budget, explored: Explored) -> None:
    """Judge what each death during the operation leaves. Raises ContractViolation for one that a real kill confirms."""
    seed = budget.seed_for(operation.name)
    whole = whole_call(bench, operation, seed=seed)
    undisturbed = whole.undisturbed or breach_of_death(bench, whole, 0, seed=seed)
    if undisturbed:
        raise NotJudgedError(f"{whole.recording.outcome.call} goes wrong where nothing is cut short: {undisturbed}")
    last = len(whole.recording.statements)
    explored.calls.append(operation.name)
    explored.points += last + 1
    explored.states += last + 1
    for number in range(1, last + 1):
        bench.tell(f"death {number} of {last}, {operation.name}")
        breach = breach_of_death(bench, whole, number, seed=seed)
        if breach:
            really = breach_of_real_death(bench, whole, number, {"operation": operation.name, "seed": seed})
            what = f"{operation.name} before statement {number + 1}"
            confirm(explored, what, breach, really, death_lines(whole.recording, number))
