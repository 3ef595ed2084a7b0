"""The statement that ends the task asks who holds it, and its row count is the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq import QueueAdapter

if TYPE_CHECKING:
    from pytest_taskq import Task

HELD = "id = ? AND status = 'leased' AND locked_by = ? AND attempts = ?"
COMPLETE = (
    "UPDATE task_queue SET status = 'completed', finished_at_utc = datetime('now'), "
    "locked_by = NULL, lease_until_utc = NULL, reserved_at_utc = NULL WHERE "
)


class Broken(QueueAdapter):
    def complete_task(self, task: Task, worker_id: str) -> bool:
        held = f"SELECT 1 FROM task_queue WHERE {HELD}"
        with self.db.connection() as connection:
            if not connection.execute(held, (task.id, worker_id, task.attempts)).fetchone():
                return False
        with self.db.transaction() as connection:
            connection.execute(COMPLETE + "id = ?", (task.id,))
        return True


class Corrected(QueueAdapter):
    def complete_task(self, task: Task, worker_id: str) -> bool:
        holder = (task.id, worker_id, task.attempts)
        with self.db.transaction() as connection:
            return connection.execute(COMPLETE + HELD, holder).rowcount == 1
