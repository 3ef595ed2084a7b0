"""A reader needs no lock: `connection()` sees one moment, too, and no writer waits for it."""

from __future__ import annotations

from collections import Counter

from pytest_taskq import QueueAdapter


class Broken(QueueAdapter):
    def queue_stats(self) -> dict[str, int]:
        with self.db.transaction() as connection:  # so that the numbers agree
            rows = connection.execute("SELECT * FROM task_queue").fetchall()
            return Counter(row["status"] for row in rows)


class Corrected(QueueAdapter):
    def queue_stats(self) -> dict[str, int]:
        with self.db.connection() as connection:
            rows = connection.execute("SELECT * FROM task_queue").fetchall()
            return Counter(row["status"] for row in rows)
