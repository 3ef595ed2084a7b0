"""A task on a server that kills each worker that claims it, until it is given up; the course of ``killer``, there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_taskq.contract import Status
from pytest_taskq.faults.killer import MAX_ATTEMPTS, SPARE, Course, Death, claim_again
from pytest_taskq.faults.real_death import killed_on
from pytest_taskq.faults.server_deaths import ServerWatch, called, store_of
from pytest_taskq.faults.situations import LEASE
from pytest_taskq.faults.survivors import read_rows
from pytest_taskq.faults.sweep import Recording, seeded
from pytest_taskq.postgres.statements import HOOK
from pytest_taskq.subject import Outcome
from pytest_taskq.subject.violation import Died

if TYPE_CHECKING:
    from pytest_taskq.faults.operations import Operation
    from pytest_taskq.faults.rules import Scene
    from pytest_taskq.statements import Statement
    from pytest_taskq.subject import Bench, QueueUnderTest

_BETWEEN = round((LEASE + 10) * 1000)  # milliseconds; the lease is over by then


def server_course(bench: Bench, way: str, *, seed: int, early: bool) -> Course:
    """Let the task kill its worker in every claim: ``early`` as soon as the lease is committed, else right after."""
    deaths: list[Death] = []
    known: list[Any] = []
    with bench.queue() as queue:
        for number in range(1, MAX_ATTEMPTS + SPARE + 1):
            one, claimed = _round(queue, claim_again(bench.subject, way, number, known), seed=seed, early=early)
            known = one.recording.scene.known
            if not claimed:
                break
            deaths.append(one)
            queue.clock.milliseconds = one.recording.moment + _BETWEEN
        row = read_rows(queue, known).get(known[0])
    return Course(tuple(deaths), row, known[0])


def _round(queue: QueueUnderTest, operation: Operation, *, seed: int, early: bool) -> tuple[Death, bool]:
    """Return a claim with the boundary at which its process died, and whether it had a task."""
    worker = queue.another()

    def at_boundary(number: int, _: Statement) -> None:
        if early and number and _is_leased(queue, scene):
            raise Died

    watch = ServerWatch(at_boundary)
    with HOOK.telling(watch), seeded(seed):
        began, told = worker.clock.milliseconds, len(worker.transcript.lines)
        scene = operation.prepare(worker)
        lines, moment = worker.transcript.lines[told:], worker.clock.milliseconds
        outcome = called(worker, operation, scene, watch)
        watch.end(store_of(queue))
        worker.abandon()
    if outcome is not None:
        operation.require_success(outcome)
    recording = Recording(
        operation=operation,
        start={},
        began=began,
        moment=moment,
        scene=scene,
        outcome=outcome or Outcome(f"{operation.name} by {scene.worker!r}"),
        statements=tuple(watch.statements),
        boundaries=(),
        lines=lines,
    )
    return Death(recording, len(watch.statements), {}), outcome is None or outcome.result is not None


def _is_leased(queue: QueueUnderTest, scene: Scene) -> bool:
    """Whether what is committed says that the worker has the task."""
    row = read_rows(queue, scene.known).get(scene.known[0], {})
    return row.get("status") == Status.LEASED and row.get("locked_by", scene.worker) == scene.worker


def real_server_course(bench: Bench, found: Course, way: str, *, seed: int) -> Course:
    """Return the same course with each death that of a process that is killed."""
    with bench.queue() as queue:
        known: list[Any] = []
        for number, death in enumerate(found.deaths, 1):
            job = {"operation": way, "round": number, "known": known, "seed": seed, "die_at": death.number}
            killed_on(bench, store_of(queue), death.recording.began, job)
            known = death.recording.scene.known
        queue.clock.milliseconds = found.deaths[-1].recording.moment + _BETWEEN
        row = read_rows(queue, known).get(known[0])
    return replace(found, row=row)
