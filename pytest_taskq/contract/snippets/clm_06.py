"""Who dies between two transactions leaves a lease that nobody holds and that never ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter, Task

if TYPE_CHECKING:
    from collections.abc import Mapping
FIRST = (
    "(SELECT id FROM task_queue "
    "WHERE status = 'queued' AND run_after_utc <= datetime('now') ORDER BY id LIMIT 1)"
)
HOLD = (
    "locked_by = ?, attempts = attempts + 1, "
    "reserved_at_utc = datetime('now'), lease_until_utc = datetime('now', ?) "
)


class Broken(QueueAdapter):
    def claim_task(
        self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        take = f"UPDATE task_queue SET status = 'leased' WHERE id = {FIRST} RETURNING id"
        with self.db.transaction() as connection:
            taken = connection.execute(take).fetchone()
        if taken is None:
            return None
        hold = f"UPDATE task_queue SET {HOLD} WHERE id = ? RETURNING *"
        until = f"+{lease_seconds + 0.999} seconds"
        with self.db.transaction() as connection:
            row = connection.execute(hold, (worker_id, until, taken["id"])).fetchone()
        return Task.from_dict(row)


class Corrected(QueueAdapter):
    def claim_task(
        self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        claim = (
            f"UPDATE task_queue SET status = 'leased', {HOLD} WHERE id = {FIRST} RETURNING *"
        )
        until = f"+{lease_seconds + 0.999} seconds"
        with self.db.transaction() as connection:
            row = connection.execute(claim, (worker_id, until)).fetchone()
        return Task.from_dict(row) if row else None
