"""RETURNING gives the rows as they were met when they were changed, not as they were chosen."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter, Task
from pytest_taskq.reference_impl.ability import Ability

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_taskq import Connection

FIND = (
    "SELECT id, CAST(compatibility AS BLOB) AS needs FROM task_queue "
    "WHERE status = 'queued' AND run_after_utc <= datetime('now') ORDER BY priority, id"
)
CLAIM = (
    "UPDATE task_queue SET status = 'leased', attempts = attempts + 1, locked_by = ?, "
    "reserved_at_utc = datetime('now'), lease_until_utc = datetime('now', ?) "
    "WHERE id IN (SELECT value FROM json_each(?)) RETURNING *"
)


def chosen(connection: Connection, n: int, capabilities: Mapping[str, Any]) -> list[int]:
    suits = Ability(capabilities).suits
    return [row["id"] for row in connection.execute(FIND).fetchall() if suits(row["needs"])][:n]


class Broken(QueueAdapter):
    def claim_many(
        self, n: int, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> list[Task]:
        until = f"+{math.ceil(lease_seconds)} seconds"
        with self.db.transaction() as connection:
            ids = chosen(connection, n, capabilities)
            rows = connection.execute(CLAIM, (worker_id, until, json.dumps(ids))).fetchall()
        return [Task.from_dict(row) for row in rows]


class Corrected(QueueAdapter):
    def claim_many(
        self, n: int, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> list[Task]:
        until = f"+{math.ceil(lease_seconds)} seconds"
        with self.db.transaction() as connection:
            ids = chosen(connection, n, capabilities)
            rows = connection.execute(CLAIM, (worker_id, until, json.dumps(ids))).fetchall()
        rows.sort(key=lambda row: ids.index(row["id"]))
        return [Task.from_dict(row) for row in rows]
