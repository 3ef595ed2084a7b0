"""The value is made to fit the column: no index serves one that is made to fit the value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq import QueueAdapter

if TYPE_CHECKING:
    from pytest_taskq import Task

COMPLETE = (
    "UPDATE task_queue SET status = 'completed', finished_at_utc = datetime('now'), "
    "locked_by = NULL, lease_until_utc = NULL, reserved_at_utc = NULL "
    "WHERE status = 'leased' AND locked_by = ? AND attempts = ? "
)


class Broken(QueueAdapter):
    def complete_task(self, task: Task, worker_id: str) -> bool:
        complete = COMPLETE + "AND CAST(id AS TEXT) = ?"
        with self.db.transaction() as connection:
            done = connection.execute(complete, (worker_id, task.attempts, str(task.id)))
            return done.rowcount == 1


class Corrected(QueueAdapter):
    def complete_task(self, task: Task, worker_id: str) -> bool:
        complete = COMPLETE + "AND id = CAST(? AS INTEGER)"
        with self.db.transaction() as connection:
            done = connection.execute(complete, (worker_id, task.attempts, str(task.id)))
            return done.rowcount == 1
