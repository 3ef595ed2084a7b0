"""What is stored in whole seconds is rounded up: `datetime` cuts the fraction of now off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq import QueueAdapter

if TYPE_CHECKING:
    from pytest_taskq import Task

RENEW = (
    "UPDATE task_queue SET lease_until_utc = datetime('now', ?) "
    "WHERE id = ? AND status = 'leased' AND locked_by = ? AND attempts = ?"
)


class Broken(QueueAdapter):
    def renew_lease(self, task: Task, worker_id: str, lease_seconds: float) -> bool:
        until = f"+{lease_seconds} seconds"
        with self.db.transaction() as connection:
            renewed = connection.execute(RENEW, (until, task.id, worker_id, task.attempts))
            return renewed.rowcount == 1


class Corrected(QueueAdapter):
    def renew_lease(self, task: Task, worker_id: str, lease_seconds: float) -> bool:
        until = f"+{lease_seconds + 0.999} seconds"
        with self.db.transaction() as connection:
            renewed = connection.execute(RENEW, (until, task.id, worker_id, task.attempts))
            return renewed.rowcount == 1
