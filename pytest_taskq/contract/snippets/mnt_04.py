"""Copied and deleted is one transaction; after a death between two, each run meets the copy."""

from __future__ import annotations

import math

from pytest_taskq import QueueAdapter

OLD = "status = 'completed' AND finished_at_utc < ?"
CREATE = "CREATE TABLE IF NOT EXISTS archive (id INTEGER PRIMARY KEY, type TEXT, payload TEXT)"
COPY = f"INSERT INTO archive SELECT id, type, payload FROM task_queue WHERE {OLD}"
DELETE = f"DELETE FROM task_queue WHERE {OLD}"


class Broken(QueueAdapter):
    def delete_finished(self, older_than_seconds: float) -> int:
        ago = f"-{math.ceil(older_than_seconds)} seconds"
        with self.db.transaction() as connection:
            before = connection.execute("SELECT datetime('now', ?)", (ago,)).fetchone()
            connection.execute(CREATE)
            connection.execute(COPY, (before[0],))
        with self.db.transaction() as connection:
            return connection.execute(DELETE, (before[0],)).rowcount


class Corrected(QueueAdapter):
    def delete_finished(self, older_than_seconds: float) -> int:
        ago = f"-{math.ceil(older_than_seconds)} seconds"
        with self.db.transaction() as connection:
            before = connection.execute("SELECT datetime('now', ?)", (ago,)).fetchone()
            connection.execute(CREATE)
            connection.execute(COPY, (before[0],))
            return connection.execute(DELETE, (before[0],)).rowcount
