"""`transaction()` takes the lock first; a reader that turns writer is refused at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter, Task

if TYPE_CHECKING:
    from collections.abc import Mapping

NEXT = (
    "SELECT id FROM task_queue "
    "WHERE status = 'queued' AND run_after_utc <= datetime('now') ORDER BY id LIMIT 1"
)
LEASE = (
    "UPDATE task_queue SET status = 'leased', attempts = attempts + 1, locked_by = ?, "
    "reserved_at_utc = datetime('now'), lease_until_utc = datetime('now', ?) "
    "WHERE id = ? RETURNING *"
)


class Broken(QueueAdapter):
    def claim_task(
        self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        until = f"+{lease_seconds + 0.999} seconds"
        with self.db.connection() as connection:
            connection.execute("BEGIN")
            found = connection.execute(NEXT).fetchone()
            task_id = found["id"] if found else None
            row = connection.execute(LEASE, (worker_id, until, task_id)).fetchone()
            connection.execute("COMMIT")
        return Task.from_dict(row) if row else None


class Corrected(QueueAdapter):
    def claim_task(
        self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        until = f"+{lease_seconds + 0.999} seconds"
        with self.db.transaction() as connection:
            found = connection.execute(NEXT).fetchone()
            task_id = found["id"] if found else None
            row = connection.execute(LEASE, (worker_id, until, task_id)).fetchone()
        return Task.from_dict(row) if row else None
