"""A renewal counts from now; counted from the old deadline, each one adds to the last."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pytest_taskq import QueueAdapter

if TYPE_CHECKING:
    from pytest_taskq import Task

HELD = "id = ? AND status = 'leased' AND locked_by = ? AND attempts = ?"


class Broken(QueueAdapter):
    def renew_lease(self, task: Task, worker_id: str, lease_seconds: float) -> bool:
        if not 0 < lease_seconds < math.inf:
            raise ValueError(f"lease_seconds must be above 0, got {lease_seconds!r}")
        renew = (
            f"UPDATE task_queue SET lease_until_utc = datetime(lease_until_utc, ?) WHERE {HELD}"
        )
        until = f"+{lease_seconds + 0.999} seconds"
        with self.db.transaction() as connection:
            renewed = connection.execute(renew, (until, task.id, worker_id, task.attempts))
            return renewed.rowcount == 1


class Corrected(QueueAdapter):
    def renew_lease(self, task: Task, worker_id: str, lease_seconds: float) -> bool:
        if not 0 < lease_seconds < math.inf:
            raise ValueError(f"lease_seconds must be above 0, got {lease_seconds!r}")
        renew = f"UPDATE task_queue SET lease_until_utc = datetime('now', ?) WHERE {HELD}"
        until = f"+{lease_seconds + 0.999} seconds"
        with self.db.transaction() as connection:
            renewed = connection.execute(renew, (until, task.id, worker_id, task.attempts))
            return renewed.rowcount == 1
