"""A task that this worker cannot do is passed by; behind it may be one that it can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter, Task
from pytest_taskq.reference_impl.ability import Ability

if TYPE_CHECKING:
    from collections.abc import Mapping
FIND = (
    "SELECT id, CAST(compatibility AS BLOB) AS needs FROM task_queue "
    "WHERE status = 'queued' AND run_after_utc <= datetime('now') ORDER BY id "
)
TAKE = (
    "UPDATE task_queue SET status = 'leased', attempts = attempts + 1, locked_by = ?, "
    "reserved_at_utc = datetime('now'), lease_until_utc = datetime('now', ?) "
    "WHERE id = ? RETURNING *"
)


class Broken(QueueAdapter):
    def claim_task(
        self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        until = f"+{lease_seconds + 0.999} seconds"
        with self.db.transaction() as connection:
            found = connection.execute(FIND + "LIMIT 1").fetchone()
            if found is None or not Ability(capabilities).suits(found["needs"]):
                return None
            row = connection.execute(TAKE, (worker_id, until, found["id"])).fetchone()
            return Task.from_dict(row)


class Corrected(QueueAdapter):
    def claim_task(
        self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        until = f"+{lease_seconds + 0.999} seconds"
        with self.db.transaction() as connection:
            for found in connection.execute(FIND):
                if Ability(capabilities).suits(found["needs"]):
                    row = connection.execute(TAKE, (worker_id, until, found["id"])).fetchone()
                    return Task.from_dict(row)
        return None
