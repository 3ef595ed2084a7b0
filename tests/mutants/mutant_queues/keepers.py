"""The parts of the observability and the maintenance team."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, ClassVar

from mutant_queues.client import number
from mutant_queues.engine import Engine
from mutant_queues.registry import twin
from mutant_queues.times import WholeSeconds
from pytest_taskq import Promises, QueueAdapter

if TYPE_CHECKING:
    from pytest_taskq.contract import Connection


@twin()
class Observer(QueueAdapter):
    """Counts on a read-only connection of its own."""

    def queue_stats(self) -> dict[str, int]:
        path = self.dsn.removeprefix("sqlite:///")
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as connection:
            return dict(connection.execute("SELECT status, count(*) FROM task_queue GROUP BY status").fetchall())


@twin()
class Janitor(QueueAdapter):
    """Takes leases back in one transaction, deletes in batches of 400."""

    times: ClassVar[WholeSeconds] = WholeSeconds()
    BATCH: ClassVar[int] = 400
    OVER: ClassVar[str] = "status = 'leased' AND lease_until_utc <= {now}"
    OLD: ClassVar[str] = "finished_at_utc < {limit}"
    BACK: ClassVar[str] = "status = 'queued'"
    RELEASED: ClassVar[str] = "locked_by = NULL, lease_until_utc = NULL, reserved_at_utc = NULL"
    INDEXES: ClassVar[tuple[str, ...]] = (
        "CREATE INDEX IF NOT EXISTS janitor_leases ON task_queue (status, lease_until_utc)",
        "CREATE INDEX IF NOT EXISTS janitor_finished ON task_queue (status, finished_at_utc)",
    )

    def reclaim_expired(self) -> int:
        with self.db.transaction() as connection:
            for statement in self.INDEXES:
                connection.execute(statement)
            over = self.OVER.format(now=self.times.now)
            rows = connection.execute(f"SELECT id, attempts >= max_attempts FROM task_queue WHERE {over}").fetchall()
            for task_id, spent in rows:
                self.give_back(connection, task_id, spent=bool(spent))
            return len(rows)

    def give_back(self, connection: Connection, task_id: int, *, spent: bool) -> None:
        if spent:
            connection.execute(
                f"UPDATE task_queue SET status = 'failed', finished_at_utc = {self.times.now}, {self.RELEASED}, "
                "error_message = ifnull(error_message, 'lease over') WHERE id = ?",
                (task_id,),
            )
        else:
            connection.execute(f"UPDATE task_queue SET {self.BACK}, {self.RELEASED} WHERE id = ?", (task_id,))

    def delete_finished(self, older_than_seconds: float) -> int:
        age = self.times.earlier(number("older_than_seconds", older_than_seconds))
        with self.db.transaction() as connection:
            for statement in self.INDEXES:
                connection.execute(statement)
            limit = connection.execute(f"SELECT {self.times.shifted('?')}", (age,)).fetchone()[0]
        return sum(self.delete(status, limit) for status in self.promises.deletes)

    def delete(self, status: str, limit: str) -> int:
        total = 0
        while True:
            with self.db.transaction() as connection:
                gone = self.delete_batch(connection, {"status": status, "limit": limit, "batch": self.BATCH})
            total += gone
            if gone < self.BATCH:
                return total

    def delete_batch(self, connection: Connection, which: dict[str, Any]) -> int:
        return connection.execute(
            "DELETE FROM task_queue WHERE id IN (SELECT id FROM task_queue "
            f"WHERE status = :status AND {self.OLD.format(limit=':limit')} LIMIT :batch)",
            which,
        ).rowcount


@twin(detail=True)
class ThoroughJanitor(Janitor):
    """Deletes every finished task, dead letters too."""

    promises: ClassVar[Promises] = Promises(deletes=("completed", "failed", "cancelled"))


@twin()
class UnforgivingKeepers(Janitor, Engine):
    """A lease that is over is a failure, whoever notices."""

    promises: ClassVar[Promises] = Promises(lease_over="fail")

    def give_back(self, connection: Connection, task_id: int, *, spent: bool) -> None:
        del spent
        super().give_back(connection, task_id, spent=True)

    def take_back(self, connection: Connection) -> int:
        over = self.OVER.format(now=self.times.now)
        return connection.execute(
            f"UPDATE task_queue SET status = 'failed', finished_at_utc = {self.times.now}, {self.RELEASED}, "
            f"error_message = ifnull(error_message, 'lease over') WHERE {over}"
        ).rowcount
