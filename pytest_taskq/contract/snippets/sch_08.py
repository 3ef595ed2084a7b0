"""An index of the status and then the order of service: its first row is the one to serve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter, Task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_taskq import Database

CLAIM = (
    "UPDATE task_queue SET status = 'leased', attempts = attempts + 1, locked_by = ?, "
    "reserved_at_utc = datetime('now'), lease_until_utc = datetime('now', ?) "
    "WHERE id = (SELECT id FROM task_queue "
    "WHERE status = 'queued' AND run_after_utc <= datetime('now') "
    "ORDER BY run_after_utc, id LIMIT 1) RETURNING *"
)


class Broken(QueueAdapter):
    def claim_task(
        self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        until = f"+{lease_seconds + 0.999} seconds"
        with self.db.transaction() as connection:
            row = connection.execute(CLAIM, (worker_id, until)).fetchone()
        return Task.from_dict(row) if row else None


class Corrected(QueueAdapter):
    def open_database(self, **settings: Any) -> Database:
        index = "CREATE INDEX IF NOT EXISTS due ON task_queue (status, run_after_utc, id)"
        db = super().open_database(**settings)
        db.initialize_schema()
        with db.transaction() as connection:
            connection.execute(index)
        return db

    def claim_task(
        self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        until = f"+{lease_seconds + 0.999} seconds"
        with self.db.transaction() as connection:
            row = connection.execute(CLAIM, (worker_id, until)).fetchone()
        return Task.from_dict(row) if row else None
