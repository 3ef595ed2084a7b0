"""One call, and the store's files at each of its statement boundaries."""

from __future__ import annotations

import os
import random
import signal
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from pytest_taskq.faults.evidence import statement_line
from pytest_taskq.faults.switched import Switched
from pytest_taskq.sqlite.files import StoreFiles
from pytest_taskq.sqlite.statements import HOOK
from pytest_taskq.subject.violation import NotJudgedError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from pytest_taskq.contract import TaskId
    from pytest_taskq.faults.operations import Operation
    from pytest_taskq.faults.rules import Scene
    from pytest_taskq.sqlite.files import Image
    from pytest_taskq.statements import Statement
    from pytest_taskq.subject import Bench, Outcome, QueueUnderTest


class OutOfReachError(NotJudgedError):
    """A call wrote and no statement of it was seen."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """A moment to die in: before statement ``number`` (from 0), or after the call returned (number of statements)."""

    number: int
    image: Image


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One call: what it met, its statements, the boundaries at which the files differ, and what it came to.

    Of boundaries with the same files only the first is kept, the one after the call always; where tasks are on a
    server there are none. ``began`` and ``moment`` are the virtual milliseconds at which the preparation and the call
    began.
    """

    operation: Operation
    start: Image
    began: int
    moment: int
    scene: Scene
    outcome: Outcome
    statements: Sequence[str]
    boundaries: Sequence[Boundary]
    lines: Sequence[str]

    @property
    def known(self) -> list[TaskId]:
        """The ids of all tasks that were acknowledged."""
        return self.operation.known_after(self.scene)

    @property
    def before(self) -> Image:
        """The files when the call began."""
        return self.boundaries[0].image

    @property
    def after(self) -> Image:
        """The files when it had returned."""
        return self.boundaries[-1].image


class Watch(Switched):
    """Counts the statements of one call; ``at_boundary`` is told each number before the statement runs."""

    def __init__(self, at_boundary: Callable[[int], None]) -> None:
        self.statements: list[str] = []
        self._at_boundary = at_boundary

    def begins(self, statement: Statement) -> None:
        """Take one statement before it runs."""
        if self.active:
            self._at_boundary(len(self.statements))
            self.statements.append(statement_line(statement.sql, statement.parameters))

    def opened(self, connection: sqlite3.Connection, *, rows_seen: bool) -> None:
        """Nothing: a process that opens a connection may die as well before or after."""

    def ended(self, statement: Statement, seen: object) -> None:
        """Nothing: the next statement's boundary is the same moment."""

    def failed(self, statement: Statement, error: Exception) -> bool:
        """Let the call fail."""
        del self, statement, error
        return False

    def fetched(self, connection: sqlite3.Connection, rows: Sequence[object]) -> None:
        """Nothing: rows leave no trace in the files."""

    def closing(self, connection: sqlite3.Connection) -> None:
        """Nothing: a connection that is closed within the call makes the next boundary differ."""


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let ``random`` begin at ``seed``, and put its state back, so that one seed gives one run."""
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)


def record(
    bench: Bench,
    operation: Operation,
    *,
    seed: int,
    start: Image | None = None,
    die_at: int | None = None,
) -> Recording:
    """Run the operation once on a fresh store, or on one that holds ``start``; return it with each boundary's files.

    ``die_at`` kills this process at that boundary instead. Raises NotJudgedError if the call does not succeed although
    nothing fails, or if its statements cannot be seen.
    """
    boundaries: list[Boundary] = []

    def take(number: int) -> None:
        if number == die_at:
            die()
        image = files.image(folder)
        if boundaries[-1].image != image:
            boundaries.append(Boundary(number, image))

    watch = Watch(take)
    with StoreFiles() as files, HOOK.telling(watch), _store(bench, start) as queue, seeded(seed):
        folder, began = queue.path.parent, queue.clock.milliseconds
        start = files.image(folder)
        scene = operation.prepare(queue)
        lines, moment = queue.transcript.lines, queue.clock.milliseconds
        boundaries.append(Boundary(0, files.image(folder)))
        with watch.on():
            outcome = operation.call(queue, scene)
        if die_at is not None:
            die()
        boundaries.append(Boundary(len(watch.statements), files.image(folder)))
    scene.result = outcome.result
    operation.require_success(outcome)
    if not watch.statements and boundaries[0].image != boundaries[-1].image:
        raise OutOfReachError(f"no statement of {outcome.call} was seen, and it wrote: its connection is out of reach")
    return Recording(
        operation=operation,
        start=start,
        began=began,
        moment=moment,
        scene=scene,
        outcome=outcome,
        statements=tuple(watch.statements),
        boundaries=tuple(boundaries),
        lines=tuple(lines),
    )


def _store(bench: Bench, start: Image | None) -> AbstractContextManager[QueueUnderTest]:
    return bench.queue() if start is None else bench.restored(start)


def die() -> NoReturn:
    """End this process as a power switch would: no handler runs, nothing is flushed."""
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))  # Windows terminates it for any signal
    raise AssertionError("the signal that cannot be refused came back")
