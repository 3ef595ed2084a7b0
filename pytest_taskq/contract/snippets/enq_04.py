"""A value goes beside the statement, never into it: an error's text has quotes of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq import QueueAdapter

if TYPE_CHECKING:
    from pytest_taskq import Task


class Broken(QueueAdapter):
    def fail_task(self, task: Task, worker_id: str, error: str, *, retry: bool = True) -> bool:
        note = f"INSERT INTO task_logs (task_id, message) VALUES ({task.id}, '{error}')"
        with self.db.transaction() as connection:
            connection.execute(note)
        return super().fail_task(task, worker_id, error, retry=retry)


class Corrected(QueueAdapter):
    def fail_task(self, task: Task, worker_id: str, error: str, *, retry: bool = True) -> bool:
        note = "INSERT INTO task_logs (task_id, message) VALUES (?, ?)"
        with self.db.transaction() as connection:
            connection.execute(note, (task.id, error))
        return super().fail_task(task, worker_id, error, retry=retry)
