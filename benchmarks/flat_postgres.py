"""The questions of ``flat`` asked of PostgreSQL, of tables that were vacuumed and analysed after they were filled.

Claims and statistics run without waiting for the disk (``synchronous_commit`` off): the flush of a commit takes as long
with few tasks as with many, and several times as long as the claim, so that every ratio would be 1 with it.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from pytest_taskq.contract import SchedulingStrategy
from pytest_taskq.postgres.server import connected
from pytest_taskq.reference_impl import queue_on
from pytest_taskq.reference_impl.postgres.database import PostgresDatabase

from .flat import PRIORITIES, Flatness, FlatSize, Side, compare, counting, delete

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_taskq.reference_impl.postgres.database import Statements

    from .places import Places

QUEUED = f"""
    INSERT INTO task_queue (type, status, priority, payload)
    SELECT 'mail', 'queued', floor(random() * {PRIORITIES}), '{{"n": 7}}' FROM generate_series(1, %s)
"""
DELAYED = f"""
    INSERT INTO task_queue (type, status, priority, payload, run_after_utc)
    SELECT 'mail', 'queued', floor(random() * {PRIORITIES}), '{{"n": 7}}', now() + interval '1 day'
    FROM generate_series(1, %s)
"""
FINISHED = f"""
    INSERT INTO task_queue (type, status, priority, payload, attempts, finished_at_utc)
    SELECT 'mail', 'completed', floor(random() * {PRIORITIES}), '{{"n": 7}}', 1, now() - interval '1 hour'
    FROM generate_series(1, %s)
"""
_REPLACE = "INSERT INTO task_queue (type, status, priority, payload) VALUES ('mail', 'queued', %s, '{\"n\": 7}')"


def claims(size: FlatSize, places: Places) -> list[Flatness]:
    """Return how every strategy does with many queued, many delayed in front, many finished beside."""
    beside = {
        "queued": [(QUEUED, size.large)],
        "delayed in front": [(DELAYED, size.large), (QUEUED, size.small)],
        "finished beside": [(FINISHED, size.large), (QUEUED, size.small)],
    }
    return [result for name, parts in beside.items() for result in _beside(name, parts, size, places)]


def _beside(name: str, parts: list[tuple[str, int]], size: FlatSize, places: Places) -> Iterator[Flatness]:
    with ExitStack() as stack:
        few = stack.enter_context(_filled(places, "off", (QUEUED, size.small)))
        many = stack.enter_context(_filled(places, "off", *parts))
        for strategy in SchedulingStrategy:
            result = Flatness(strategy, name)
            sides = [Side(queue_on(few), _REPLACE, result.small), Side(queue_on(many), _REPLACE, result.large)]
            compare(strategy, sides, size)
            yield result


def statistics(size: FlatSize, places: Places) -> list[float]:
    """Return the seconds of ``queue_stats`` on the large queue, a third of it queued, delayed, finished each."""
    part = size.large // 3
    with _filled(places, "off", (QUEUED, part), (DELAYED, part), (FINISHED, part)) as db:
        return counting(queue_on(db), 3 * part, size.rounds)


def cleanup(rows: int, places: Places) -> list[float]:
    """Return for how many seconds each statement of ``delete_finished`` held its rows, its commit included."""
    with _filled(places, "on", (FINISHED, rows), (QUEUED, 1000)) as filled:
        db = _Timed(filled.dsn)
        delete(queue_on(db), rows)
        db.close()
    return db.held


class _Timed(PostgresDatabase):
    """Notes for how long each statement that writes takes."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self.held: list[float] = []

    @contextmanager
    def writing(self) -> Iterator[Statements]:
        with super().writing() as statements:
            began = time.perf_counter()
            yield statements
        self.held.append(time.perf_counter() - began)


@contextmanager
def _filled(places: Places, synchronous: str, *parts: tuple[str, int]) -> Iterator[PostgresDatabase]:
    with places.fresh("flat", synchronous) as dsn:
        db = PostgresDatabase(dsn)
        db.initialize_schema()
        with connected(dsn) as connection:
            connection.execute("SELECT setseed(0.7)")  # the same rows in every run
            for statement, rows in parts:
                connection.execute(statement, (rows,))
        places.settle(dsn)
        try:
            yield db
        finally:
            db.close()
