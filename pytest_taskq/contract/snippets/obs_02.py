"""One statement sees one moment; five see five."""

from __future__ import annotations

from pytest_taskq import QueueAdapter

STATUSES = ("queued", "leased", "completed", "failed", "cancelled")


class Broken(QueueAdapter):
    def queue_stats(self) -> dict[str, int]:
        count = "SELECT count(*) FROM task_queue WHERE status = ?"
        with self.db.connection() as connection:
            return {one: connection.execute(count, (one,)).fetchone()[0] for one in STATUSES}


class Corrected(QueueAdapter):
    def queue_stats(self) -> dict[str, int]:
        count = "SELECT status, count(*) FROM task_queue GROUP BY status"
        with self.db.connection() as connection:
            counted = {row[0]: row[1] for row in connection.execute(count).fetchall()}
        return {one: counted.get(one, 0) for one in STATUSES}
