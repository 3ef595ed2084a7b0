"""To be beaten to one task is not to find the queue empty; there are others behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter, Task

if TYPE_CHECKING:
    from collections.abc import Mapping
FIND = (
    "SELECT id FROM task_queue "
    "WHERE status = 'queued' AND run_after_utc <= datetime('now') ORDER BY id LIMIT 1"
)
TAKE = (
    "UPDATE task_queue SET status = 'leased', attempts = attempts + 1, locked_by = ?, "
    "reserved_at_utc = datetime('now'), lease_until_utc = datetime('now', ?) "
    "WHERE status = 'queued' AND id = "
)


class Broken(QueueAdapter):
    def claim_task(
        self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        until = f"+{lease_seconds + 0.999} seconds"
        with self.db.connection() as connection:
            found = connection.execute(FIND).fetchone()
        if found is None:
            return None
        with self.db.transaction() as connection:
            take = TAKE + "? RETURNING *"
            row = connection.execute(take, (worker_id, until, found["id"])).fetchone()
        return Task.from_dict(row) if row else None


class Corrected(QueueAdapter):
    def claim_task(
        self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        until = f"+{lease_seconds + 0.999} seconds"
        with self.db.transaction() as connection:
            take = f"{TAKE} ({FIND}) RETURNING *"
            row = connection.execute(take, (worker_id, until)).fetchone()
        return Task.from_dict(row) if row else None
