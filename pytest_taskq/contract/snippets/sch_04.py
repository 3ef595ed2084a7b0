"""The least of exponential draws falls to each by its weight; the largest product does not."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter, Task
from pytest_taskq.reference_impl.ability import Ability

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_taskq import SchedulingStrategy

DUE = (
    "SELECT id, priority, CAST(compatibility AS BLOB) AS needs FROM task_queue "
    "WHERE status = 'queued' AND run_after_utc <= datetime('now')"
)
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
        if strategy != "weighted_random":
            return super().claim_by(strategy, worker_id, capabilities, lease_seconds)
        ability = Ability(capabilities)
        until = f"+{lease_seconds + 0.999} seconds"
        with self.db.transaction() as connection:
            able = [row for row in connection.execute(DUE) if ability.suits(row["needs"])]
            if not able:
                return None
            drawn = max(able, key=lambda row: random.random() / (row["priority"] + 1))
            leased = connection.execute(LEASE, (worker_id, until, drawn["id"])).fetchone()
        return Task.from_dict(leased)


class Corrected(QueueAdapter):
    def claim_by(
        self,
        strategy: SchedulingStrategy,
        worker_id: str,
        capabilities: Mapping[str, Any],
        lease_seconds: float,
    ) -> Task | None:
        if strategy != "weighted_random":
            return super().claim_by(strategy, worker_id, capabilities, lease_seconds)
        ability = Ability(capabilities)
        until = f"+{lease_seconds + 0.999} seconds"
        with self.db.transaction() as connection:
            able = [row for row in connection.execute(DUE) if ability.suits(row["needs"])]
            if not able:
                return None
            drawn = min(able, key=lambda row: random.expovariate(1 / (row["priority"] + 1)))
            leased = connection.execute(LEASE, (worker_id, until, drawn["id"])).fetchone()
        return Task.from_dict(leased)
