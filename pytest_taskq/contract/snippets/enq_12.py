"""SQLite's clock is UTC; what is converted for a reader is not what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq import QueueAdapter

if TYPE_CHECKING:
    from pytest_taskq import TaskId


class Broken(QueueAdapter):
    def cancel_task(self, task_id: TaskId) -> bool:
        cancel = (
            "UPDATE task_queue SET status = 'cancelled', "
            "finished_at_utc = datetime('now', 'localtime') "
            "WHERE id = ? AND status = 'queued'"
        )
        with self.db.transaction() as connection:
            return connection.execute(cancel, (task_id,)).rowcount == 1


class Corrected(QueueAdapter):
    def cancel_task(self, task_id: TaskId) -> bool:
        cancel = (
            "UPDATE task_queue SET status = 'cancelled', "
            "finished_at_utc = datetime('now') "
            "WHERE id = ? AND status = 'queued'"
        )
        with self.db.transaction() as connection:
            return connection.execute(cancel, (task_id,)).rowcount == 1
