"""The search ends at the first task that the worker can do; what waits behind is not read."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter, Task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_taskq import Database

FIND = (
    "SELECT id, compatibility FROM task_queue "
    "WHERE status = 'queued' AND run_after_utc <= datetime('now') ORDER BY run_after_utc, id"
)
LEASE = (
    "UPDATE task_queue SET status = 'leased', attempts = attempts + 1, locked_by = ?, "
    "reserved_at_utc = datetime('now'), lease_until_utc = datetime('now', ?) "
    "WHERE id = ? RETURNING *"
)


def indexed(db: Database) -> Database:
    """Return the database with an index in the order of service."""
    db.initialize_schema()
    with db.transaction() as connection:
        connection.execute(
            "CREATE INDEX IF NOT EXISTS due ON task_queue (status, run_after_utc, id)"
        )
    return db


def suits(row: Any, capabilities: Mapping[str, Any]) -> bool:
    """Whether the worker has all that the task needs."""
    needs: dict[str, Any] = json.loads(row["compatibility"])
    return needs.items() <= capabilities.items()


class Broken(QueueAdapter):
    def open_database(self, **settings: Any) -> Database:
        return indexed(super().open_database(**settings))

    def claim_task(
        self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        until = f"+{math.ceil(lease_seconds)} seconds"
        with self.db.transaction() as connection:
            rows = connection.execute(FIND).fetchall()
            able = [row["id"] for row in rows if suits(row, capabilities)]
            first = able[0] if able else None
            row = connection.execute(LEASE, (worker_id, until, first)).fetchone()
        return Task.from_dict(row) if row else None


class Corrected(QueueAdapter):
    def open_database(self, **settings: Any) -> Database:
        return indexed(super().open_database(**settings))

    def claim_task(
        self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        until = f"+{math.ceil(lease_seconds)} seconds"
        with self.db.transaction() as connection:
            rows = connection.execute(FIND)
            able = (row["id"] for row in rows if suits(row, capabilities))
            first = next(able, None)
            row = connection.execute(LEASE, (worker_id, until, first)).fetchone()
        return Task.from_dict(row) if row else None
