"""Only the attempt that holds the lease may renew it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pytest_taskq import QueueAdapter

if TYPE_CHECKING:
    from pytest_taskq import Task


class Broken(QueueAdapter):
    def renew_lease(self, task: Task, worker_id: str, lease_seconds: float) -> bool:
        renew = (
            "UPDATE task_queue "
            "SET lease_until_utc = max(lease_until_utc, datetime('now', ?)) "
            "WHERE id = ?"
        )
        until = f"+{math.ceil(lease_seconds)} seconds"
        with self.db.transaction() as connection:
            return connection.execute(renew, (until, task.id)).rowcount == 1


class Corrected(QueueAdapter):
    def renew_lease(self, task: Task, worker_id: str, lease_seconds: float) -> bool:
        renew = (
            "UPDATE task_queue "
            "SET lease_until_utc = max(lease_until_utc, datetime('now', ?)) "
            "WHERE id = ? AND status = 'leased' AND locked_by = ? AND attempts = ?"
        )
        until = f"+{math.ceil(lease_seconds)} seconds"
        with self.db.transaction() as connection:
            return (
                connection.execute(renew, (until, task.id, worker_id, task.attempts)).rowcount
                == 1
            )
