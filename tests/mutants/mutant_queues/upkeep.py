"""Broken cleanups: transactions that everybody waits for, and logs of tasks that are gone."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from mutant_queues.client import number
from mutant_queues.keepers import Janitor, ThoroughJanitor
from mutant_queues.registry import DIRECT, RACE, breaks
from pytest_taskq import QueueAdapter

# --- MNT-03 -----------------------------------------------------------------------------------------------------------


@breaks("MNT-03", DIRECT, r"transaction \d+ of the \d+ that the call committed took 2500")
@breaks("MNT-03", RACE, "1,500 left at once")
class DeletesAllAtOnce(Janitor):
    """Deletes what is old in one statement."""

    BATCH = 10**9


@breaks("MNT-03", DIRECT, r"took 2000")
class DeletesInLargeBatches(Janitor):
    """Deletes two thousand rows a transaction."""

    BATCH = 2_000


@breaks("MNT-03", DIRECT, r"took 2500")
class BatchesInOneTransaction(Janitor):
    """Deletes in batches, and commits once at the end."""

    def delete(self, status, limit):
        which = {"status": status, "limit": limit, "batch": self.BATCH}
        total = 0
        with self.db.transaction() as connection:
            while gone := self.delete_batch(connection, which):
                total += gone
        return total


@breaks("MNT-03", DIRECT, r"took 1200")
class BatchesEachStateTogether(ThoroughJanitor):
    """Deletes a batch of each state in one transaction, three of them together."""

    def delete_finished(self, older_than_seconds):
        age = self.times.earlier(number("older_than_seconds", older_than_seconds))
        total, gone = 0, 1
        while gone:
            with self.db.transaction() as connection:
                limit = connection.execute(f"SELECT {self.times.shifted('?')}", (age,)).fetchone()[0]
                which = {"limit": limit, "batch": self.BATCH}
                gone = sum(self.delete_batch(connection, {**which, "status": one}) for one in self.promises.deletes)
            total += gone
        return total


@breaks("MNT-03", DIRECT, "delete_finished returns an int; seen None")
@breaks("MNT-07", DIRECT, "delete_finished returns an int; seen None")
class DeletesWithoutAWord(QueueAdapter):
    """Deletes, and does not say how much."""

    def delete_finished(self, older_than_seconds):
        self.reference.delete_finished(older_than_seconds)


# --- MNT-07 -----------------------------------------------------------------------------------------------------------


@breaks("MNT-07", DIRECT, "no log refers to a task that is gone; seen 2 logs do")
class LeavesLogsBehind(QueueAdapter):
    """Deletes on a connection of its own, where foreign keys are off as SQLite has them."""

    def delete_finished(self, older_than_seconds):
        path = self.dsn.removeprefix("sqlite:///")
        with closing(sqlite3.connect(path, timeout=5)) as connection, connection:
            gone = connection.execute(
                "DELETE FROM task_queue WHERE status = 'completed' AND finished_at_utc < datetime('now', ?)",
                (f"-{older_than_seconds} seconds",),
            )
            return gone.rowcount


@breaks("MNT-07", DIRECT, "a finished task goes although it has logs; seen 1 are still there")
class KeepsWhatHasLogs(Janitor):
    """Deletes only tasks that nothing refers to."""

    OLD = "finished_at_utc < {limit} AND id NOT IN (SELECT task_id FROM task_logs)"


@breaks("MNT-07", DIRECT, "1 deleted, logs not counted; seen 3")
class CountsTheLogs(Janitor):
    """Counts the log rows that went with the tasks."""

    def delete_finished(self, older_than_seconds):
        with self.db.connection() as connection:
            before = connection.execute("SELECT count(*) FROM task_logs").fetchone()[0]
            tasks = super().delete_finished(older_than_seconds)
            return tasks + before - connection.execute("SELECT count(*) FROM task_logs").fetchone()[0]


@breaks("MNT-07", DIRECT, "a finished task goes although it has logs")
class CleansNothing(QueueAdapter):
    """Deletes nothing and says so."""

    def delete_finished(self, older_than_seconds):
        return 0


@breaks("MNT-07", DIRECT, "FOREIGN KEY constraint failed")
class TripsOverLogs(QueueAdapter):
    """Logs into a table of its own, which nobody cleans before the tasks."""

    def delete_finished(self, older_than_seconds):
        with self.db.transaction() as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS marks (task_id INTEGER REFERENCES task_queue (id))")
            connection.execute("INSERT INTO marks SELECT DISTINCT task_id FROM task_logs")
        return self.reference.delete_finished(older_than_seconds)
