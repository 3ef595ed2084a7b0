"""The statement that renews asks who holds the task; an answer from before it is old."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq import QueueAdapter

if TYPE_CHECKING:
    from pytest_taskq import Task

HELD = "id = ? AND status = 'leased' AND locked_by = ? AND attempts = ?"


class Broken(QueueAdapter):
    def renew_lease(self, task: Task, worker_id: str, lease_seconds: float) -> bool:
        held = f"SELECT 1 FROM task_queue WHERE {HELD}"
        renew = "UPDATE task_queue SET lease_until_utc = datetime('now', ?) WHERE id = ?"
        until = f"+{lease_seconds + 0.999} seconds"
        with self.db.connection() as connection:
            if not connection.execute(held, (task.id, worker_id, task.attempts)).fetchone():
                return False
        with self.db.transaction() as connection:
            connection.execute(renew, (until, task.id))
        return True


class Corrected(QueueAdapter):
    def renew_lease(self, task: Task, worker_id: str, lease_seconds: float) -> bool:
        renew = f"UPDATE task_queue SET lease_until_utc = datetime('now', ?) WHERE {HELD}"
        until = f"+{lease_seconds + 0.999} seconds"
        with self.db.transaction() as connection:
            renewed = connection.execute(renew, (until, task.id, worker_id, task.attempts))
            return renewed.rowcount == 1
