"""Who began the transaction ends it: an order and its task are stored together or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter

if TYPE_CHECKING:
    from pytest_taskq import Connection, TaskId


class Broken(QueueAdapter):
    def enqueue_in(
        self, connection: Connection, type: str, payload: Any, **options: Any
    ) -> TaskId:
        task_id = super().enqueue_in(connection, type, payload, **options)
        connection.execute("COMMIT")  # so that the workers see it at once
        connection.execute("BEGIN IMMEDIATE")
        return task_id


class Corrected(QueueAdapter):
    def enqueue_in(
        self, connection: Connection, type: str, payload: Any, **options: Any
    ) -> TaskId:
        return super().enqueue_in(connection, type, payload, **options)
