"""A second completion finds the task no longer leased."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq import QueueAdapter

if TYPE_CHECKING:
    from pytest_taskq import Task


class Broken(QueueAdapter):
    def complete_task(self, task: Task, worker_id: str) -> bool:
        complete = (
            "UPDATE task_queue SET status = 'completed', finished_at_utc = datetime('now'), "
            "locked_by = NULL, lease_until_utc = NULL, reserved_at_utc = NULL "
            "WHERE id = ?"
        )
        with self.db.transaction() as connection:
            return connection.execute(complete, (task.id,)).rowcount == 1


class Corrected(QueueAdapter):
    def complete_task(self, task: Task, worker_id: str) -> bool:
        complete = (
            "UPDATE task_queue SET status = 'completed', finished_at_utc = datetime('now'), "
            "locked_by = NULL, lease_until_utc = NULL, reserved_at_utc = NULL "
            "WHERE id = ? AND status = 'leased' AND locked_by = ? AND attempts = ?"
        )
        with self.db.transaction() as connection:
            return (
                connection.execute(complete, (task.id, worker_id, task.attempts)).rowcount == 1
            )
