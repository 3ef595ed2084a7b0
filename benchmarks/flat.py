"""Whether a claim costs the same among a million tasks as among a thousand.

The rows come from plain SQL, as another team's INSERT brings them, so whatever the queue has to do for such rows is in
the first claim or in the ones after it. Small and large queue take turns in blocks; the task that a claim took is
replaced by another plain row, outside the measured time, so that both keep their size.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_taskq.reference_impl import Queue, QueueDatabase, SchedulingStrategy

from .queues.candidate import LEASE, WORKER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

PRIORITIES = 200
_INSERT = "INSERT INTO task_queue (type, status, priority, payload) VALUES ('mail', 'queued', ?, '{\"n\": 7}')"
_DELAYED = """
    INSERT INTO task_queue (type, status, priority, payload, run_after_utc)
    VALUES ('mail', 'queued', ?, '{"n": 7}', datetime('now', '+1 day'))
"""
_FINISHED = """
    INSERT INTO task_queue (type, status, priority, payload, attempts, finished_at_utc)
    VALUES ('mail', 'completed', ?, '{"n": 7}', 1, datetime('now', '-1 hour'))
"""


@dataclass(frozen=True, slots=True)
class FlatSize:
    """How much is measured: tasks in the small and in the large queue, rounds, claims per block."""

    small: int
    large: int
    rounds: int
    block: int


@dataclass(slots=True)
class Claims:
    """The first claim and all later ones, in seconds."""

    first: float = 0.0
    later: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Flatness:
    """One question: what stands in the way, and the claims of the small and of the large queue."""

    strategy: str
    beside: str
    small: Claims = field(default_factory=Claims)
    large: Claims = field(default_factory=Claims)


@dataclass(slots=True)
class Side:
    """A queue, the plain SQL that puts a task of a given priority in place of one it gave, and its claims."""

    queue: Queue
    insert: str
    seen: Claims


def claims(size: FlatSize, folder: Path) -> list[Flatness]:
    """Return how every strategy does with many queued, many delayed in front, many finished beside."""
    alone = _filled(folder / "small", (_INSERT, size.small))
    beside = {
        "queued": _filled(folder / "queued", (_INSERT, size.large)),
        "delayed in front": _filled(folder / "delayed", (_DELAYED, size.large), (_INSERT, size.small)),
        "finished beside": _filled(folder / "finished", (_FINISHED, size.large), (_INSERT, size.small)),
    }
    results = []
    for name, crowded in beside.items():
        for strategy in SchedulingStrategy:
            result = Flatness(strategy, name)
            with _copy(alone) as small, _copy(crowded) as large:
                _compare(strategy, (small, result.small), (large, result.large), size)
            results.append(result)
        crowded.unlink()
    return results


def _compare(
    strategy: SchedulingStrategy, small: tuple[Path, Claims], large: tuple[Path, Claims], size: FlatSize
) -> None:
    sides = [Side(Queue(QueueDatabase(path)), _INSERT, seen) for path, seen in (small, large)]
    compare(strategy, sides, size)
    for side in sides:
        side.queue.db.close()


def compare(strategy: SchedulingStrategy, sides: Sequence[Side], size: FlatSize) -> None:
    """Claim from both sides in turns."""
    for side in sides:
        side.queue.reclaim_expired()  # what the first use of a connection costs is no claim's
        [side.seen.first] = _claims(side, strategy, 1)
    turns = list(sides)
    for _ in range(size.rounds):
        random.shuffle(turns)
        for side in turns:
            side.seen.later += _claims(side, strategy, size.block)


def _claims(side: Side, strategy: SchedulingStrategy, count: int) -> list[float]:
    seconds = []
    for _ in range(count):
        began = time.perf_counter()
        task = side.queue.claim_by(strategy, WORKER, {}, LEASE)
        seconds.append(time.perf_counter() - began)
        if task is None:
            raise RuntimeError(f"{side.queue.db!r} has tasks that are due, but a {strategy} claim found none")
        with side.queue.db.transaction() as connection:
            connection.execute(side.insert, (task.priority,))
    return seconds


def statistics(size: FlatSize, folder: Path) -> list[float]:
    """Return the seconds of ``queue_stats`` on the large queue, a third of it queued, delayed, finished each."""
    part = size.large // 3
    db = QueueDatabase(_filled(folder / "mixed", (_INSERT, part), (_DELAYED, part), (_FINISHED, part)))
    seconds = counting(Queue(db), 3 * part, size.rounds)
    db.close()
    return seconds


def counting(queue: Queue, rows: int, times: int) -> list[float]:
    """Return the seconds of ``queue_stats``, called so many times."""
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        counted = queue.queue_stats()
        seconds.append(time.perf_counter() - began)
        if sum(counted.values()) != rows:
            raise RuntimeError(f"queue_stats counts {counted}, but {rows} rows were inserted")
    return seconds


def cleanup(rows: int, folder: Path) -> list[float]:
    """Return for how many seconds each transaction of ``delete_finished`` held the write lock."""
    path = _filled(folder / "cleanup", (_FINISHED, rows), (_INSERT, 1000))
    db = _Timed(path)
    delete(Queue(db), rows)
    db.close()
    return db.held


def delete(queue: Queue, rows: int) -> None:
    """Delete the tasks that finished an hour ago, of which there must be so many."""
    if (deleted := queue.delete_finished(60)) != rows:
        raise RuntimeError(f"delete_finished said {deleted}, but {rows} rows were old enough")


class _Timed(QueueDatabase):
    """Notes for how long each transaction holds the lock, its commit included."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.held: list[float] = []

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        with super().transaction() as connection:
            began = time.perf_counter()
            yield connection
        self.held.append(time.perf_counter() - began)


def _filled(path: Path, *parts: tuple[str, int]) -> Path:
    db = QueueDatabase(path)
    db.initialize_schema()
    db.close()
    chance = random.Random(7)  # noqa: S311 - the same rows in every run
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        for statement, rows in parts:
            connection.executemany(statement, _priorities(chance, rows))
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


def _priorities(chance: random.Random, rows: int) -> Iterable[tuple[int]]:
    return ((chance.randrange(PRIORITIES),) for _ in range(rows))


@contextmanager
def _copy(path: Path) -> Iterator[Path]:
    copy = path.with_name(f"{path.name}-copy")
    shutil.copyfile(path, copy)
    try:
        yield copy
    finally:
        for file in path.parent.glob(f"{copy.name}*"):
            file.unlink()
