"""A stored second is cut, so that the moment is rounded up first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter

if TYPE_CHECKING:
    from pytest_taskq import TaskId


class Broken(QueueAdapter):
    def enqueue(
        self, type: str, payload: Any, *, delay_seconds: float = 0.0, **options: Any
    ) -> TaskId:
        store = (
            "INSERT INTO task_queue (type, payload, run_after_utc) "
            "VALUES (?, ?, datetime('now', ?)) RETURNING id"
        )
        delay = f"+{delay_seconds} seconds"
        with self.db.transaction() as connection:
            row = connection.execute(store, (type, json.dumps(payload), delay)).fetchone()
        return int(row["id"])


class Corrected(QueueAdapter):
    def enqueue(
        self, type: str, payload: Any, *, delay_seconds: float = 0.0, **options: Any
    ) -> TaskId:
        store = (
            "INSERT INTO task_queue (type, payload, run_after_utc) "
            "VALUES (?, ?, datetime('now', ?, '+0.999 seconds')) RETURNING id"
        )
        delay = f"+{delay_seconds} seconds"
        with self.db.transaction() as connection:
            row = connection.execute(store, (type, json.dumps(payload), delay)).fetchone()
        return int(row["id"])
