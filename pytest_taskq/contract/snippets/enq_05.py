"""The unique index decides who was first, in the statement that stores."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_taskq import Promises, QueueAdapter

if TYPE_CHECKING:
    from pytest_taskq import TaskId

INSERT = "INSERT INTO task_queue (type, payload, idempotency_key) VALUES (?, ?, ?) "


class Broken(QueueAdapter):
    promises = Promises(not_offered={"delete_finished": "a key would go with its task"})

    def enqueue(
        self, type: str, payload: Any, *, idempotency_key: str | None = None, **options: Any
    ) -> TaskId:
        find = "SELECT id FROM task_queue WHERE idempotency_key = ?"
        with self.db.connection() as connection:
            row = connection.execute(find, (idempotency_key,)).fetchone()
        if row is not None:
            return int(row["id"])
        store = INSERT + "RETURNING id"
        with self.db.transaction() as connection:
            row = connection.execute(
                store, (type, json.dumps(payload), idempotency_key)
            ).fetchone()
        return int(row["id"])


class Corrected(QueueAdapter):
    promises = Promises(not_offered={"delete_finished": "a key would go with its task"})

    def enqueue(
        self, type: str, payload: Any, *, idempotency_key: str | None = None, **options: Any
    ) -> TaskId:
        store = (
            INSERT + "ON CONFLICT (idempotency_key) WHERE idempotency_key IS NOT NULL "
            "DO UPDATE SET idempotency_key = excluded.idempotency_key RETURNING id"
        )
        with self.db.transaction() as connection:
            row = connection.execute(
                store, (type, json.dumps(payload), idempotency_key)
            ).fetchone()
        return int(row["id"])
