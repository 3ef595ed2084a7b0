"""Crash points where tasks are on a server: the client dies at each statement boundary, and another one looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq.faults.evidence import death_lines
from pytest_taskq.faults.killer import course_breach
from pytest_taskq.faults.real_death import REALLY
from pytest_taskq.faults.server_deaths import Whole, breach_of_death, breach_of_real_death, whole_call
from pytest_taskq.faults.server_killer import real_server_course, server_course
from pytest_taskq.faults.survivors import same
from pytest_taskq.subject.violation import ContractViolation, NotJudgedError

if TYPE_CHECKING:
    from pytest_taskq.faults.operations import Operation
    from pytest_taskq.faults.rules import Breach
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
            _confirm(bench, whole, number, budget, explored, breach)


def _confirm(bench: Bench, whole: Whole, number: int, budget: Budget, explored: Explored, breach: Breach) -> None:
    name = whole.recording.operation.name
    really = breach_of_real_death(bench, whole, number, {"operation": name, "seed": budget.seed_for(name)})
    if really is None:
        explored.unconfirmed.append(f"{name} before statement {number + 1}: {breach.seen}")
        return
    raise ContractViolation(really.expected, f"{really.seen}\n{REALLY}", calls=death_lines(whole.recording, number))


def one_course_on_server(bench: Bench, way: str, budget: Budget, explored: Explored, *, early: bool) -> None:
    """Judge how often a task is claimed that kills its worker in every claim."""
    seed = budget.seed_for(way)
    found = server_course(bench, way, seed=seed, early=early)
    explored.calls.append(f"{way} until it is given up")
    explored.points += len(found.deaths)
    explored.states += len(found.deaths)
    breach = course_breach(found, bench)
    if breach is None:
        return
    real = real_server_course(bench, found, way, seed=seed) if found.deaths else found
    if not same(found.row or {}, real.row or {}, ("status", "attempts", "locked_by")):
        explored.unconfirmed.append(f"{way} with a death in every claim: {breach.seen}")
        return
    raise ContractViolation(breach.expected, f"{breach.seen}\n{REALLY}", calls=real.lines if real.deaths else ())
