"""A task that is not due yet is queued as well."""

from __future__ import annotations

from pytest_taskq import QueueAdapter


class Broken(QueueAdapter):
    def queue_stats(self) -> dict[str, int]:
        count = (
            "SELECT status, count(*) FROM task_queue "
            "WHERE run_after_utc <= datetime('now') GROUP BY status"
        )
        with self.db.connection() as connection:
            return {row[0]: row[1] for row in connection.execute(count).fetchall()}


class Corrected(QueueAdapter):
    def queue_stats(self) -> dict[str, int]:
        count = "SELECT status, count(*) FROM task_queue GROUP BY status"
        with self.db.connection() as connection:
            return {row[0]: row[1] for row in connection.execute(count).fetchall()}
