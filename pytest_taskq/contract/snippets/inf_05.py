"""A row may have a column that another team added; from_dict leaves out what is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq import QueueAdapter, Task

if TYPE_CHECKING:
    from pytest_taskq import TaskId


class Broken(QueueAdapter):
    def get_task(self, task_id: TaskId) -> Task | None:
        find = "SELECT * FROM task_queue WHERE id = ?"
        with self.db.connection() as connection:
            row = connection.execute(find, (task_id,)).fetchone()
        return Task(**dict(row)) if row else None


class Corrected(QueueAdapter):
    def get_task(self, task_id: TaskId) -> Task | None:
        find = "SELECT * FROM task_queue WHERE id = ?"
        with self.db.connection() as connection:
            row = connection.execute(find, (task_id,)).fetchone()
        return Task.from_dict(row) if row else None
