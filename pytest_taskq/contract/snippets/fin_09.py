"""What the task said last stays; the reclaim adds its words only where there are none."""

from __future__ import annotations

from pytest_taskq import QueueAdapter

TAKE_BACK = (
    "UPDATE task_queue SET status = iif(attempts < max_attempts, 'queued', 'failed'), "
    "finished_at_utc = iif(attempts < max_attempts, NULL, datetime('now')), "
    "locked_by = NULL, lease_until_utc = NULL, reserved_at_utc = NULL, "
)


class Broken(QueueAdapter):
    def reclaim_expired(self) -> int:
        take_back = (
            TAKE_BACK + "error_message = 'the worker went away' "
            "WHERE status = 'leased' AND lease_until_utc <= datetime('now')"
        )
        with self.db.transaction() as connection:
            return connection.execute(take_back).rowcount


class Corrected(QueueAdapter):
    def reclaim_expired(self) -> int:
        take_back = (
            TAKE_BACK + "error_message = ifnull(error_message, 'the worker went away') "
            "WHERE status = 'leased' AND lease_until_utc <= datetime('now')"
        )
        with self.db.transaction() as connection:
            return connection.execute(take_back).rowcount
