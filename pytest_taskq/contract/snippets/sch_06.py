"""The strategies differ in their order alone: what guards one of them guards them all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter, Task
from pytest_taskq.reference_impl.ability import Ability

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_taskq import SchedulingStrategy

QUEUED = (
    "SELECT id, CAST(compatibility AS BLOB) AS needs FROM task_queue WHERE status = 'queued'"
)
DUE = f"{QUEUED} AND run_after_utc <= datetime('now')"
LEASE = (
    "UPDATE task_queue SET status = 'leased', attempts = attempts + 1, locked_by = ?, "
    "reserved_at_utc = datetime('now'), lease_until_utc = datetime('now', ?) "
    "WHERE id = ? RETURNING *"
)


class Broken(QueueAdapter):
    def claim_by(
        self,
        strategy: SchedulingStrategy,
        worker_id: str,
        capabilities: Mapping[str, Any],
        lease_seconds: float,
    ) -> Task | None:
        find = {
            "fifo": f"{DUE} ORDER BY id",
            "lifo": f"{DUE} ORDER BY id DESC",
            "priority": f"{QUEUED} ORDER BY priority, id",
        }
        if strategy not in find:
            return super().claim_by(strategy, worker_id, capabilities, lease_seconds)
        ability = Ability(capabilities)
        until = f"+{lease_seconds + 0.999} seconds"
        with self.db.transaction() as connection:
            rows = connection.execute(find[strategy])
            first = next((row["id"] for row in rows if ability.suits(row["needs"])), None)
            row = connection.execute(LEASE, (worker_id, until, first)).fetchone()
        return Task.from_dict(row) if row else None


class Corrected(QueueAdapter):
    def claim_by(
        self,
        strategy: SchedulingStrategy,
        worker_id: str,
        capabilities: Mapping[str, Any],
        lease_seconds: float,
    ) -> Task | None:
        order = {"fifo": "id", "lifo": "id DESC", "priority": "priority, id"}
        if strategy not in order:
            return super().claim_by(strategy, worker_id, capabilities, lease_seconds)
        ability = Ability(capabilities)
        until = f"+{lease_seconds + 0.999} seconds"
        with self.db.transaction() as connection:
            rows = connection.execute(f"{DUE} ORDER BY {order[strategy]}")
            first = next((row["id"] for row in rows if ability.suits(row["needs"])), None)
            row = connection.execute(LEASE, (worker_id, until, first)).fetchone()
        return Task.from_dict(row) if row else None
