"""One statement finds the task and takes it, so that nobody comes in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter, Task

if TYPE_CHECKING:
    from collections.abc import Mapping


class Broken(QueueAdapter):
    def claim_task(
        self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        find = (
            "SELECT * FROM task_queue "
            "WHERE status = 'queued' AND run_after_utc <= datetime('now') ORDER BY id LIMIT 1"
        )
        take = (
            "UPDATE task_queue SET status = 'leased', attempts = attempts + 1, locked_by = ?, "
            "reserved_at_utc = datetime('now'), lease_until_utc = datetime('now', ?) "
            "WHERE id = ?"
        )
        until = f"+{lease_seconds + 0.999} seconds"
        with self.db.connection() as connection:
            row = connection.execute(find).fetchone()
        if row is None:
            return None
        with self.db.transaction() as connection:
            connection.execute(take, (worker_id, until, row["id"]))
        return Task.from_dict(row)


class Corrected(QueueAdapter):
    def claim_task(
        self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        claim = (
            "UPDATE task_queue SET status = 'leased', attempts = attempts + 1, locked_by = ?, "
            "reserved_at_utc = datetime('now'), lease_until_utc = datetime('now', ?) "
            "WHERE id = (SELECT id FROM task_queue "
            "WHERE status = 'queued' AND run_after_utc <= datetime('now') "
            "ORDER BY id LIMIT 1) RETURNING *"
        )
        until = f"+{lease_seconds + 0.999} seconds"
        with self.db.transaction() as connection:
            row = connection.execute(claim, (worker_id, until)).fetchone()
        return Task.from_dict(row) if row else None
