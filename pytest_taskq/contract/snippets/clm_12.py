"""Who leases first and looks then keeps from the others what it cannot do itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter, Task
from pytest_taskq.reference_impl.ability import Ability

if TYPE_CHECKING:
    from collections.abc import Mapping
FIND = (
    "SELECT id, CAST(compatibility AS BLOB) AS needs FROM task_queue "
    "WHERE status = 'queued' AND run_after_utc <= datetime('now') ORDER BY priority, id"
)
TAKE = (
    "UPDATE task_queue SET status = 'leased', attempts = attempts + 1, locked_by = ?, "
    "reserved_at_utc = datetime('now'), lease_until_utc = datetime('now', ?) "
    "WHERE id = ? RETURNING *"
)


class Broken(QueueAdapter):
    def claim_many(
        self, n: int, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> list[Task]:
        suits, until = Ability(capabilities).suits, f"+{lease_seconds + 0.999} seconds"
        with self.db.transaction() as connection:
            found = connection.execute(f"{FIND} LIMIT ?", (n,)).fetchall()
            rows = [connection.execute(TAKE, (worker_id, until, one["id"])) for one in found]
            tasks = [Task.from_dict(row.fetchone()) for row in rows]
        return [task for task, one in zip(tasks, found, strict=True) if suits(one["needs"])]


class Corrected(QueueAdapter):
    def claim_many(
        self, n: int, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> list[Task]:
        suits, until = Ability(capabilities).suits, f"+{lease_seconds + 0.999} seconds"
        with self.db.transaction() as connection:
            found = [one for one in connection.execute(FIND) if suits(one["needs"])]
            rows = [
                connection.execute(TAKE, (worker_id, until, one["id"])) for one in found[:n]
            ]
            return [Task.from_dict(row.fetchone()) for row in rows]
