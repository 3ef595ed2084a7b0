"""JSON makes tuples lists and keys texts without a word; so what it made is compared."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter

if TYPE_CHECKING:
    from pytest_taskq import TaskId

INSERT = "INSERT INTO task_queue (type, payload) VALUES (?, ?) RETURNING id"


class Broken(QueueAdapter):
    def enqueue(self, type: str, payload: Any, **options: Any) -> TaskId:
        text = json.dumps(payload)
        with self.db.transaction() as connection:
            return int(connection.execute(INSERT, (type, text)).fetchone()["id"])


class Corrected(QueueAdapter):
    def enqueue(self, type: str, payload: Any, **options: Any) -> TaskId:
        text = json.dumps(payload)
        if json.loads(text) != payload:
            raise ValueError(f"payload would come back as {text:.100}, not as {payload!r:.100}")
        with self.db.transaction() as connection:
            return int(connection.execute(INSERT, (type, text)).fetchone()["id"])
