"""Queues that processes of the tests import by name."""

from __future__ import annotations

import sqlite3
import threading
from typing import ClassVar

from pytest_taskq import Promises, QueueAdapter, StandaloneAdapter, Task


class TwoStatements(QueueAdapter):
    """Enqueues in two transactions: the row, then its key."""

    def enqueue(self, type, payload, *, idempotency_key=None, **options):
        with self.db.connection() as connection:
            known = connection.execute("SELECT id FROM task_queue WHERE idempotency_key = ?", (idempotency_key,))
            for row in known.fetchall():
                return row[0]
        task_id = self.reference.enqueue(type, payload, **options)
        with self.db.transaction() as connection:
            connection.execute("UPDATE task_queue SET idempotency_key = ? WHERE id = ?", (idempotency_key, task_id))
        return task_id


class OnlyInTheProcessOfTheTests(TwoStatements):
    """Broken where the tests run, correct in any other process: what it shows here cannot be confirmed there."""

    HERE: ClassVar[bool] = False

    def enqueue(self, type, payload, **options):
        if self.HERE:
            return super().enqueue(type, payload, **options)
        return self.reference.enqueue(type, payload, **options)


class EnqueuesNowhere(QueueAdapter):
    def enqueue(self, type, payload, **options):
        return 10**6


class Tasks(StandaloneAdapter):
    """A whole queue on one SQLite file, without leases."""

    promises: ClassVar[Promises] = Promises(
        not_offered={
            "leases": "a claim has no deadline",
            **{f"enqueue.{name}": "none" for name in ("priority", "delay_seconds", "max_attempts", "compatibility")},
        }
    )

    def __init__(self, dsn):
        super().__init__(dsn)
        self.connection = sqlite3.connect(dsn, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = DELETE")

    def setup(self):
        self.connection.execute("CREATE TABLE todo (id INTEGER PRIMARY KEY, body TEXT, key TEXT, state TEXT)")
        self.connection.close()

    def close(self):
        self.connection.close()

    def enqueue(self, type, payload, *, idempotency_key=None):
        found = self.connection.execute("SELECT id FROM todo WHERE key = ?", (idempotency_key,)).fetchone()
        if found:
            return found[0]
        row = (f'{{"{type}": 1}}', idempotency_key)
        return self.connection.execute("INSERT INTO todo VALUES (NULL, ?, ?, 'queued')", row).lastrowid

    def claim_task(self, worker_id, capabilities, lease_seconds):
        row = self.connection.execute(
            "UPDATE todo SET state = 'leased' WHERE id = (SELECT min(id) FROM todo WHERE state = 'queued') RETURNING *"
        ).fetchall()
        return self.task(row[0]) if row else None

    def complete_task(self, task, worker_id):
        self.connection.execute("UPDATE todo SET state = 'completed' WHERE id = ?", (task.id,))
        return True

    def task(self, row):
        return Task(id=row[0], type="job", payload='{"to": "b"}' if row[2] else row[1], status=row[3])


class Small(Tasks):
    """The same, listing its tasks."""

    def all_tasks(self):
        return [self.task(row) for row in self.connection.execute("SELECT * FROM todo")]


class SmallAndForgetful(Small):
    """Forgets the task while it is claimed: it is deleted, and inserted again in another transaction."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        row = self.connection.execute("SELECT * FROM todo WHERE state = 'queued' ORDER BY id").fetchone()
        if row is None:
            return None
        self.connection.execute("DELETE FROM todo WHERE id = ?", (row[0],))
        self.connection.execute("INSERT INTO todo VALUES (?, ?, ?, 'leased')", row[:3])
        return self.task((*row[:3], "leased"))


class Blind(Small):
    """Its statements cannot be seen: it came to its connection by a way that nobody watches."""

    def __init__(self, dsn):
        StandaloneAdapter.__init__(self, dsn)
        self.connection = sqlite3.Connection(dsn, isolation_level=None)


class Hangs(QueueAdapter):
    """Never comes back from an enqueue but in the process of the tests."""

    HERE: ClassVar[bool] = False

    def enqueue(self, type, payload, **options):
        if not self.HERE:
            threading.Event().wait()
        return self.reference.enqueue(type, payload, **options)


class RefusesAKeyTwice(QueueAdapter):
    """Correct in every death, wrong in another way: a key that was used before is an error."""

    def enqueue(self, type, payload, *, idempotency_key=None, **options):
        with self.db.connection() as connection:
            known = connection.execute("SELECT id FROM task_queue WHERE idempotency_key = ?", (idempotency_key,))
            if known.fetchall():
                raise ValueError("this key was used")
        return self.reference.enqueue(type, payload, idempotency_key=idempotency_key, **options)


class Opaque(StandaloneAdapter):
    def enqueue(self, type, payload, **options):
        return 1

    def claim_task(self, worker_id, capabilities, lease_seconds):
        return None


class SmallAndTerse(Tasks):
    """Shows a task to whoever knows its id, and lists none."""

    def get_task(self, task_id):
        row = self.connection.execute("SELECT * FROM todo WHERE id = ?", (task_id,)).fetchone()
        return self.task(row) if row else None
