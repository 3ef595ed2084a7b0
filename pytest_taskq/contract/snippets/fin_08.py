"""Whatever the failing program printed is made storable before the statement runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq import QueueAdapter

if TYPE_CHECKING:
    from pytest_taskq import Task

FAIL = (
    "UPDATE task_queue SET error_message = ?1, "
    "status = iif(?2 AND attempts < max_attempts, 'queued', 'failed'), "
    "finished_at_utc = iif(?2 AND attempts < max_attempts, NULL, datetime('now')), "
    "run_after_utc = datetime('now', ?3, '+0.999 seconds'), "
    "locked_by = NULL, lease_until_utc = NULL, reserved_at_utc = NULL "
    "WHERE id = ?4 AND status = 'leased' AND locked_by = ?5 AND attempts = ?6"
)


class Broken(QueueAdapter):
    def fail_task(self, task: Task, worker_id: str, error: str, *, retry: bool = True) -> bool:
        delay = f"+{min(300, 2 ** min((task.attempts or 1) - 1, 9))} seconds"
        values = (error, retry, delay, task.id, worker_id, task.attempts)
        with self.db.transaction() as connection:
            return connection.execute(FAIL, values).rowcount == 1


class Corrected(QueueAdapter):
    def fail_task(self, task: Task, worker_id: str, error: str, *, retry: bool = True) -> bool:
        delay = f"+{min(300, 2 ** min((task.attempts or 1) - 1, 9))} seconds"
        text = error[:10_000].encode(errors="backslashreplace").decode()
        values = (text, retry, delay, task.id, worker_id, task.attempts)
        with self.db.transaction() as connection:
            return connection.execute(FAIL, values).rowcount == 1
