"""What must not be stored twice has a key, and an index finds it; no payload is read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter

if TYPE_CHECKING:
    from pytest_taskq import TaskId


class Broken(QueueAdapter):
    def enqueue(self, type: str, payload: Any, **options: Any) -> TaskId:
        order = payload.get("order") if isinstance(payload, dict) else None
        with self.db.connection() as connection:
            rows = connection.execute(
                "SELECT * FROM task_queue WHERE status = 'queued'"
            ).fetchall()
        waiting = {json.loads(row["payload"]).get("order"): int(row["id"]) for row in rows}
        if order and order in waiting:
            return waiting[order]
        return super().enqueue(type, payload, **options)


class Corrected(QueueAdapter):
    def enqueue(self, type: str, payload: Any, **options: Any) -> TaskId:
        order = payload.get("order") if isinstance(payload, dict) else None
        if order:
            options["idempotency_key"] = f"order {order}"
        return super().enqueue(type, payload, **options)
