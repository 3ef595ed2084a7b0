"""A weight is a fraction; SQL divides whole numbers to whole numbers, here mostly to 0."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter, Task
from pytest_taskq.reference_impl.ability import Ability

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_taskq import SchedulingStrategy

DUE = (
    "CAST(compatibility AS BLOB) AS needs FROM task_queue "
    "WHERE status = 'queued' AND run_after_utc <= datetime('now')"
)
LEASE = (
    "UPDATE task_queue SET status = 'leased', attempts = attempts + 1, locked_by = ?, "
    "reserved_at_utc = datetime('now'), lease_until_utc = datetime('now', ?) "
    "WHERE id = ? RETURNING *"
)


def drawn(rows: list[Any], ability: Ability) -> int | None:
    """Return the id of one that the worker can do, drawn by weight; None if there is none."""
    able = [row for row in rows if ability.suits(row["needs"])]
    left, task_id = random.uniform(0, sum(row["weight"] for row in able)), None
    for row in able:
        left, task_id = left - row["weight"], row["id"]
        if left <= 0:
            break
    return task_id


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
        weigh = f"SELECT id, 1 / (priority + 1) AS weight, {DUE}"
        until = f"+{lease_seconds + 0.999} seconds"
        with self.db.transaction() as connection:
            task_id = drawn(connection.execute(weigh).fetchall(), Ability(capabilities))
            row = connection.execute(LEASE, (worker_id, until, task_id)).fetchone()
        return Task.from_dict(row) if row else None


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
        weigh = f"SELECT id, 1.0 / (priority + 1) AS weight, {DUE}"
        until = f"+{lease_seconds + 0.999} seconds"
        with self.db.transaction() as connection:
            task_id = drawn(connection.execute(weigh).fetchall(), Ability(capabilities))
            row = connection.execute(LEASE, (worker_id, until, task_id)).fetchone()
        return Task.from_dict(row) if row else None
