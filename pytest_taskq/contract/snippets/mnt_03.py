"""Many short transactions, between which others write."""

from __future__ import annotations

import math

from pytest_taskq import QueueAdapter


class Broken(QueueAdapter):
    def delete_finished(self, older_than_seconds: float) -> int:
        delete = (
            "DELETE FROM task_queue "
            "WHERE status = 'completed' AND finished_at_utc < datetime('now', ?)"
        )
        before = f"-{math.ceil(older_than_seconds)} seconds"
        with self.db.transaction() as connection:
            return connection.execute(delete, (before,)).rowcount


class Corrected(QueueAdapter):
    def delete_finished(self, older_than_seconds: float) -> int:
        delete = (
            "DELETE FROM task_queue WHERE id IN (SELECT id FROM task_queue "
            "WHERE status = 'completed' AND finished_at_utc < datetime('now', ?) LIMIT 1000)"
        )
        before = f"-{math.ceil(older_than_seconds)} seconds"
        deleted = 0
        while True:
            with self.db.transaction() as connection:
                batch = connection.execute(delete, (before,)).rowcount
            deleted += batch
            if batch < 1000:
                return deleted
