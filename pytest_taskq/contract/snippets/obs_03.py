"""Who looks changes nothing: what is over is taken back by those whose work it is."""

from __future__ import annotations

from pytest_taskq import QueueAdapter

COUNT = "SELECT status, count(*) FROM task_queue GROUP BY status"


class Broken(QueueAdapter):
    def queue_stats(self) -> dict[str, int]:
        self.reclaim_expired()  # so that no dead worker's task is shown as leased
        with self.db.connection() as connection:
            return {row[0]: row[1] for row in connection.execute(COUNT).fetchall()}


class Corrected(QueueAdapter):
    def queue_stats(self) -> dict[str, int]:
        with self.db.connection() as connection:
            return {row[0]: row[1] for row in connection.execute(COUNT).fetchall()}
