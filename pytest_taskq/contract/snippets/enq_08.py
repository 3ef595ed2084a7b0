"""A process may die between two transactions, and leaves half a task behind; one is whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter

if TYPE_CHECKING:
    from pytest_taskq import TaskId

URGENT = "UPDATE task_queue SET priority = ? WHERE id = ?"


class Broken(QueueAdapter):
    def enqueue(
        self, type: str, payload: Any, *, priority: int = 100, **options: Any
    ) -> TaskId:
        task_id = super().enqueue(type, payload, **options)
        with self.db.transaction() as connection:
            connection.execute(URGENT, (priority, task_id))
        return task_id


class Corrected(QueueAdapter):
    def enqueue(
        self, type: str, payload: Any, *, priority: int = 100, **options: Any
    ) -> TaskId:
        with self.db.transaction() as connection:
            task_id = self.enqueue_in(connection, type, payload, **options)
            connection.execute(URGENT, (priority, task_id))
        return task_id
