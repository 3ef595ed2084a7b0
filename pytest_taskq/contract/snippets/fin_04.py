"""The claim has counted this attempt already; counted twice, the last try is never made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq import QueueAdapter

if TYPE_CHECKING:
    from pytest_taskq import Task

FAIL = (
    "UPDATE task_queue SET error_message = :error, "
    "status = iif(:again, 'queued', 'failed'), "
    "finished_at_utc = iif(:again, NULL, datetime('now')), "
    "run_after_utc = datetime('now', :delay, '+0.999 seconds'), "
    "locked_by = NULL, lease_until_utc = NULL, reserved_at_utc = NULL "
    "WHERE id = :id AND status = 'leased' AND locked_by = :worker AND attempts = :attempt"
)


def changes(task: Task, worker_id: str, error: str) -> dict[str, object]:
    """Return the values of the statement, without whether the task is tried again."""
    delay = f"+{min(300, 2 ** min((task.attempts or 1) - 1, 9))} seconds"
    holder = {"id": task.id, "worker": worker_id, "attempt": task.attempts}
    return {**holder, "error": error, "delay": delay}


class Broken(QueueAdapter):
    def fail_task(self, task: Task, worker_id: str, error: str, *, retry: bool = True) -> bool:
        again = retry and (task.attempts or 1) + 1 < (task.max_attempts or 5)
        with self.db.transaction() as connection:
            values = {**changes(task, worker_id, error), "again": again}
            return connection.execute(FAIL, values).rowcount == 1


class Corrected(QueueAdapter):
    def fail_task(self, task: Task, worker_id: str, error: str, *, retry: bool = True) -> bool:
        again = retry and (task.attempts or 1) < (task.max_attempts or 5)
        with self.db.transaction() as connection:
            values = {**changes(task, worker_id, error), "again": again}
            return connection.execute(FAIL, values).rowcount == 1
