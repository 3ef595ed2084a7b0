"""A scheduling team's part: claim_by, on connections of its own, one UPDATE a claim."""

from __future__ import annotations

import json
import random
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from mutant_queues.client import number, text
from mutant_queues.engine import READ, equal, readable
from mutant_queues.registry import twin
from mutant_queues.times import WholeSeconds
from pytest_taskq import Promises, QueueAdapter, SchedulingStrategy
from pytest_taskq.reference_impl import QueueBusyError, QueueDatabaseError, Task

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FIFO, LIFO, PRIORITY, WEIGHTED = SchedulingStrategy
INDEXES = (
    "CREATE INDEX IF NOT EXISTS scheduler_age ON task_queue (status, run_after_utc, id)",
    "CREATE INDEX IF NOT EXISTS scheduler_priority ON task_queue (status, priority, run_after_utc, id)",
)


@twin()
class Scheduler(QueueAdapter):
    """Age is the time a task became due; over leases are left to reclaim_expired."""

    promises: ClassVar[Promises] = Promises(fifo_key="run_after", strategies=frozenset({FIFO, LIFO, PRIORITY}))
    times: ClassVar[WholeSeconds] = WholeSeconds()
    ORDER: ClassVar[dict[SchedulingStrategy, str]] = {
        FIFO: "run_after_utc, id",
        LIFO: "run_after_utc DESC, id DESC",
        PRIORITY: "priority, run_after_utc, id",
    }
    INDEX: ClassVar[dict[SchedulingStrategy, str]] = {
        FIFO: "INDEXED BY scheduler_age",
        LIFO: "INDEXED BY scheduler_age",
        PRIORITY: "INDEXED BY scheduler_priority",
    }
    DUE: ClassVar[str] = "run_after_utc <= datetime('now')"
    LEFT: ClassVar[str] = "attempts < max_attempts"

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self.own: sqlite3.Connection | None = None

    def close(self) -> None:
        if self.own is not None:
            self.own.close()
        super().close()

    def opened(self) -> sqlite3.Connection:
        """Return a connection with the indexes in place; kept only then, or no claim would find them after an error."""
        connection = sqlite3.connect(self.dsn.removeprefix("sqlite:///"), timeout=5, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            for statement in INDEXES:
                connection.execute(statement)
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        try:
            if self.own is None:
                self.own = self.opened()
            self.own.execute("BEGIN IMMEDIATE")
            try:
                yield self.own
                self.own.execute("COMMIT")
            except BaseException:
                self.own.execute("ROLLBACK")
                raise
        except sqlite3.OperationalError as error:
            kind = QueueBusyError if "locked" in str(error) else QueueDatabaseError
            raise kind(str(error)) from error

    def claim_by(
        self, strategy: SchedulingStrategy, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        self.check(strategy, worker_id, lease_seconds)
        with self.writing() as connection:
            task_id = self.first(connection, SchedulingStrategy(strategy), capabilities)
            return None if task_id is None else self.lease(connection, task_id, worker_id, lease_seconds)

    def check(self, strategy: Any, worker_id: Any, lease_seconds: Any) -> None:
        if strategy not in set(SchedulingStrategy):
            raise ValueError(f"no strategy {strategy!r}; known are {', '.join(SchedulingStrategy)}")
        text("worker_id", worker_id)
        number("lease_seconds", lease_seconds, above=0)

    def first(
        self, connection: sqlite3.Connection, strategy: SchedulingStrategy, capabilities: Mapping[str, Any]
    ) -> int | None:
        rows = connection.execute(
            f"SELECT id, {READ} AS texts FROM task_queue "
            f"{self.INDEX.get(strategy, '')} WHERE status = 'queued' AND {self.DUE} AND {self.LEFT} "
            f"ORDER BY {self.ORDER[strategy]}"
        )
        able = (row["id"] for row in rows if self.suits(row["needs"], capabilities) and readable(row["texts"]))
        return next(able, None)

    def suits(self, stored: bytes | None, capabilities: Mapping[str, Any]) -> bool:
        try:
            needs = json.loads(stored or b"")
        except (ValueError, RecursionError):
            return False
        if not isinstance(needs, dict):
            return False
        return all(key in capabilities and equal(capabilities[key], value) for key, value in needs.items())

    def lease(self, connection: sqlite3.Connection, task_id: int, worker_id: str, lease_seconds: float) -> Task:
        row = connection.execute(
            "UPDATE task_queue SET status = 'leased', attempts = attempts + 1, locked_by = ?, "
            f"reserved_at_utc = {self.times.now}, lease_until_utc = {self.times.shifted('?')} WHERE id = ? RETURNING *",
            (worker_id, self.times.later(lease_seconds), task_id),
        ).fetchone()
        return Task.from_dict(row)


@twin(SCH_08="it draws from all that is due, so its work grows with them")
class WeightedScheduler(Scheduler):
    """Age is the order of submission, and the fourth strategy is there."""

    promises: ClassVar[Promises] = Promises()
    ORDER: ClassVar[dict[SchedulingStrategy, str]] = {
        FIFO: "id",
        LIFO: "id DESC",
        PRIORITY: "priority, id",
        WEIGHTED: "id",
    }
    INDEX: ClassVar[dict[SchedulingStrategy, str]] = {}

    def first(
        self, connection: sqlite3.Connection, strategy: SchedulingStrategy, capabilities: Mapping[str, Any]
    ) -> int | None:
        if strategy is not WEIGHTED:
            return super().first(connection, strategy, capabilities)
        able = self.claimable(connection, capabilities)
        return self.draw(connection, able) if able else None

    def claimable(self, connection: sqlite3.Connection, capabilities: Mapping[str, Any]) -> list[sqlite3.Row]:
        rows = connection.execute(
            f"SELECT id, {READ} AS texts, ifnull(priority, 100) AS priority, attempts FROM task_queue "
            f"WHERE status = 'queued' AND {self.DUE} AND {self.LEFT} ORDER BY id"
        )
        return [row for row in rows if self.suits(row["needs"], capabilities) and readable(row["texts"])]

    def draw(self, connection: sqlite3.Connection, able: list[sqlite3.Row]) -> int:
        return random.choices(able, [self.weight(row["priority"]) for row in able])[0]["id"]  # noqa: S311 - no secret

    def weight(self, priority: int) -> float:
        return 1 / (max(priority, 0) + 1)


@twin(detail=True, SCH_08="as WeightedScheduler")
class Descending(WeightedScheduler):
    """A higher number is served first."""

    promises: ClassVar[Promises] = Promises(priority_order="descending")
    ORDER: ClassVar[dict[SchedulingStrategy, str]] = WeightedScheduler.ORDER | {PRIORITY: "priority DESC, id"}
