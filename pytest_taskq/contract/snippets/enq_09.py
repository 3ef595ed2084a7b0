"""The database counts the ids: two that look for the highest one at a time find the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter

if TYPE_CHECKING:
    from pytest_taskq import TaskId


class Broken(QueueAdapter):
    def enqueue(self, type: str, payload: Any, **options: Any) -> TaskId:
        highest = "SELECT coalesce(max(id), 0) FROM task_queue"
        store = "INSERT INTO task_queue (id, type, payload) VALUES (?, ?, ?)"
        with self.db.connection() as connection:
            task_id = int(connection.execute(highest).fetchone()[0]) + 1
        with self.db.transaction() as connection:
            connection.execute(store, (task_id, type, json.dumps(payload)))
        return task_id


class Corrected(QueueAdapter):
    def enqueue(self, type: str, payload: Any, **options: Any) -> TaskId:
        store = "INSERT INTO task_queue (type, payload) VALUES (?, ?) RETURNING id"
        with self.db.transaction() as connection:
            return int(connection.execute(store, (type, json.dumps(payload))).fetchone()["id"])
