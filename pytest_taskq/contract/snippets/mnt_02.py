"""The DELETE asks again what is old, and what it deleted is what is counted."""

from __future__ import annotations

import math

from pytest_taskq import QueueAdapter

OLD = "status = 'completed' AND finished_at_utc < datetime('now', ?)"


class Broken(QueueAdapter):
    def delete_finished(self, older_than_seconds: float) -> int:
        before = f"-{math.ceil(older_than_seconds)} seconds"
        with self.db.connection() as connection:
            ids = connection.execute(
                f"SELECT id FROM task_queue WHERE {OLD}", (before,)
            ).fetchall()
        with self.db.transaction() as connection:
            for row in ids:
                connection.execute("DELETE FROM task_queue WHERE id = ?", (row["id"],))
        return len(ids)


class Corrected(QueueAdapter):
    def delete_finished(self, older_than_seconds: float) -> int:
        before = f"-{math.ceil(older_than_seconds)} seconds"
        with self.db.transaction() as connection:
            return connection.execute(f"DELETE FROM task_queue WHERE {OLD}", (before,)).rowcount
