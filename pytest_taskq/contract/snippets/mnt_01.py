"""What may go is named; a finished dead letter is evidence."""

from __future__ import annotations

import math

from pytest_taskq import QueueAdapter


class Broken(QueueAdapter):
    def delete_finished(self, older_than_seconds: float) -> int:
        delete = "DELETE FROM task_queue WHERE finished_at_utc < datetime('now', ?)"
        before = f"-{math.ceil(older_than_seconds)} seconds"
        with self.db.transaction() as connection:
            return connection.execute(delete, (before,)).rowcount


class Corrected(QueueAdapter):
    def delete_finished(self, older_than_seconds: float) -> int:
        delete = (
            "DELETE FROM task_queue "
            "WHERE status = 'completed' AND finished_at_utc < datetime('now', ?)"
        )
        before = f"-{math.ceil(older_than_seconds)} seconds"
        with self.db.transaction() as connection:
            return connection.execute(delete, (before,)).rowcount
