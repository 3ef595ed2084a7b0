"""One statement fails or puts back: who dies between two transactions loses the retry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq import QueueAdapter

if TYPE_CHECKING:
    from pytest_taskq import Task

RELEASED = "locked_by = NULL, lease_until_utc = NULL, reserved_at_utc = NULL"
HELD = "id = ? AND status = 'leased' AND locked_by = ? AND attempts = ?"


class Broken(QueueAdapter):
    def fail_task(self, task: Task, worker_id: str, error: str, *, retry: bool = True) -> bool:
        fail = (
            "UPDATE task_queue SET status = 'failed', finished_at_utc = datetime('now'), "
            f"error_message = ?, {RELEASED} WHERE {HELD}"
        )
        put_back = (
            "UPDATE task_queue SET status = 'queued', finished_at_utc = NULL, "
            "run_after_utc = datetime('now', ?) WHERE id = ? AND attempts < max_attempts"
        )
        delay = f"+{min(300, 2 ** min((task.attempts or 1) - 1, 9)) + 0.999} seconds"
        with self.db.transaction() as connection:
            failed = connection.execute(fail, (error, task.id, worker_id, task.attempts))
        if retry and failed.rowcount == 1:
            with self.db.transaction() as connection:
                connection.execute(put_back, (delay, task.id))
        return failed.rowcount == 1


class Corrected(QueueAdapter):
    def fail_task(self, task: Task, worker_id: str, error: str, *, retry: bool = True) -> bool:
        again = retry and (task.attempts or 1) < (task.max_attempts or 5)
        fail = (
            "UPDATE task_queue SET status = iif(?1, 'queued', 'failed'), "
            "finished_at_utc = iif(?1, NULL, datetime('now')), "
            f"error_message = ?, run_after_utc = datetime('now', ?), {RELEASED} WHERE {HELD}"
        )
        delay = f"+{min(300, 2 ** min((task.attempts or 1) - 1, 9)) + 0.999} seconds"
        values = (again, error, delay, task.id, worker_id, task.attempts)
        with self.db.transaction() as connection:
            return connection.execute(fail, values).rowcount == 1
