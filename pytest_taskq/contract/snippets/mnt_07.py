"""SQLite keeps references on connections that ask for it; those of the database object do."""

from __future__ import annotations

import math
import sqlite3
from contextlib import closing

from pytest_taskq import QueueAdapter

DELETE = (
    "DELETE FROM task_queue WHERE status = 'completed' AND finished_at_utc < datetime('now', ?)"
)


class Broken(QueueAdapter):
    def delete_finished(self, older_than_seconds: float) -> int:
        before = f"-{math.ceil(older_than_seconds)} seconds"
        path = self.dsn.removeprefix("sqlite:///")
        with closing(sqlite3.connect(path, timeout=30)) as connection, connection:
            return connection.execute(DELETE, (before,)).rowcount


class Corrected(QueueAdapter):
    def delete_finished(self, older_than_seconds: float) -> int:
        before = f"-{math.ceil(older_than_seconds)} seconds"
        with self.db.transaction() as connection:
            return connection.execute(DELETE, (before,)).rowcount
