"""A task whose attempts are used up is failed, not queued for ever."""

from __future__ import annotations

from pytest_taskq import QueueAdapter


class Broken(QueueAdapter):
    def reclaim_expired(self) -> int:
        reclaim = (
            "UPDATE task_queue SET status = 'queued', "
            "locked_by = NULL, lease_until_utc = NULL, reserved_at_utc = NULL "
            "WHERE status = 'leased' AND lease_until_utc <= datetime('now')"
        )
        with self.db.transaction() as connection:
            return connection.execute(reclaim).rowcount


class Corrected(QueueAdapter):
    def reclaim_expired(self) -> int:
        reclaim = (
            "UPDATE task_queue SET status = iif(attempts < max_attempts, 'queued', 'failed'), "
            "finished_at_utc = iif(attempts < max_attempts, NULL, datetime('now')), "
            "locked_by = NULL, lease_until_utc = NULL, reserved_at_utc = NULL "
            "WHERE status = 'leased' AND lease_until_utc <= datetime('now')"
        )
        with self.db.transaction() as connection:
            return connection.execute(reclaim).rowcount
