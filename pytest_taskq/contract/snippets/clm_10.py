"""The database chooses in one statement; one for each task keeps all others waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter, Task

if TYPE_CHECKING:
    from collections.abc import Mapping
QUEUED = "FROM task_queue WHERE status = 'queued' AND run_after_utc <= datetime('now')"
TAKE = (
    "UPDATE task_queue SET status = 'leased', attempts = attempts + 1, locked_by = ?, "
    "reserved_at_utc = datetime('now'), lease_until_utc = datetime('now', ?) "
    "WHERE id = ? RETURNING *"
)


class Broken(QueueAdapter):
    def claim_task(
        self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        look = "SELECT priority, id FROM task_queue WHERE id = ?"
        until = f"+{lease_seconds + 0.999} seconds"
        with self.db.transaction() as connection:
            ids = [row["id"] for row in connection.execute(f"SELECT id {QUEUED}")]
            looks = [connection.execute(look, (one,)).fetchone() for one in ids]
            if not looks:
                return None
            first = min(tuple(row) for row in looks)
            row = connection.execute(TAKE, (worker_id, until, first[1])).fetchone()
        return Task.from_dict(row)


class Corrected(QueueAdapter):
    def claim_task(
        self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        look = f"SELECT priority, id {QUEUED} ORDER BY priority, id LIMIT 1"
        until = f"+{lease_seconds + 0.999} seconds"
        with self.db.transaction() as connection:
            first = connection.execute(look).fetchone()
            if first is None:
                return None
            row = connection.execute(TAKE, (worker_id, until, first["id"])).fetchone()
        return Task.from_dict(row)
