"""The database counts what it has; a query for each task asks ten thousand times."""

from __future__ import annotations

from collections import Counter

from pytest_taskq import QueueAdapter


class Broken(QueueAdapter):
    def queue_stats(self) -> dict[str, int]:
        with self.db.connection() as connection:
            ids = [
                row["id"] for row in connection.execute("SELECT id FROM task_queue").fetchall()
            ]
        tasks = [self.get_task(task_id) for task_id in ids]
        return Counter(str(task.status) for task in tasks if task)


class Corrected(QueueAdapter):
    def queue_stats(self) -> dict[str, int]:
        count = "SELECT status, count(*) FROM task_queue GROUP BY status"
        with self.db.connection() as connection:
            return {row[0]: row[1] for row in connection.execute(count).fetchall()}
