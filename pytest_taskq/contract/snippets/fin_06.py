"""Failed and put back is one transaction: who dies between two of them loses the retry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq import QueueAdapter

if TYPE_CHECKING:
    from pytest_taskq import Task

FAIL = (
    "UPDATE task_queue SET status = 'failed', finished_at_utc = datetime('now'), "
    "error_message = ?, locked_by = NULL, lease_until_utc = NULL, reserved_at_utc = NULL "
    "WHERE id = ? AND status = 'leased' AND locked_by = ? AND attempts = ?"
)
PUT_BACK = (
    "UPDATE task_queue SET status = 'queued', finished_at_utc = NULL, "
    "run_after_utc = datetime('now', ?, '+0.999 seconds') "
    "WHERE id = ? AND attempts < max_attempts"
)


class Broken(QueueAdapter):
    def fail_task(self, task: Task, worker_id: str, error: str, *, retry: bool = True) -> bool:
        delay = f"+{min(300, 2 ** min((task.attempts or 1) - 1, 9))} seconds"
        with self.db.transaction() as connection:
            failed = connection.execute(FAIL, (error, task.id, worker_id, task.attempts))
        if retry and failed.rowcount == 1:
            with self.db.transaction() as connection:
                connection.execute(PUT_BACK, (delay, task.id))
        return failed.rowcount == 1


class Corrected(QueueAdapter):
    def fail_task(self, task: Task, worker_id: str, error: str, *, retry: bool = True) -> bool:
        delay = f"+{min(300, 2 ** min((task.attempts or 1) - 1, 9))} seconds"
        with self.db.transaction() as connection:
            failed = connection.execute(FAIL, (error, task.id, worker_id, task.attempts))
            if retry and failed.rowcount == 1:
                connection.execute(PUT_BACK, (delay, task.id))
        return failed.rowcount == 1
