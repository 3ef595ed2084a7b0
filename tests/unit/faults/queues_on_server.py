"""Queues on PostgreSQL that processes of the tests import by name."""

from __future__ import annotations

from typing import ClassVar

from pytest_taskq import QueueAdapter


class TwoTransactions(QueueAdapter):
    """Enqueues in two transactions: the row, then its key."""

    def enqueue(self, type, payload, *, idempotency_key=None, **options):
        with self.db.connection() as connection:
            known = connection.execute("SELECT id FROM task_queue WHERE idempotency_key = %s", (idempotency_key,))
            for row in known.fetchall():
                return row[0]
        task_id = self.reference.enqueue(type, payload, **options)
        with self.db.transaction() as connection:
            connection.execute("UPDATE task_queue SET idempotency_key = %s WHERE id = %s", (idempotency_key, task_id))
        return task_id


class OnlyInTheProcessOfTheTests(TwoTransactions):
    """Broken where the tests run, correct in any other process."""

    HERE: ClassVar[bool] = False

    def enqueue(self, type, payload, **options):
        if self.HERE:
            return super().enqueue(type, payload, **options)
        return self.reference.enqueue(type, payload, **options)


class BelowTheDriver(QueueAdapter):
    """Its statements cannot be seen: it speaks to the server by libpq alone."""

    def enqueue(self, type, payload, **options):
        from psycopg import pq

        connection = pq.PGconn.connect(self.dsn.encode())
        result = connection.exec_(b"INSERT INTO task_queue (type, payload) VALUES ('mail', '{}') RETURNING id")
        task_id = int(result.get_value(0, 0))
        connection.finish()
        return task_id


class CleansUpAfterItself(QueueAdapter):
    """Undoes in a handler what a dead process could not undo."""

    def enqueue(self, type, payload, **options):
        task_id = self.reference.enqueue(type, payload, **options)
        try:
            with self.db.transaction() as connection:
                connection.execute("UPDATE task_queue SET updated_at_utc = now() WHERE id = %s", (task_id,))
        except BaseException:
            with self.db.transaction() as connection:
                connection.execute("DELETE FROM task_queue WHERE id = %s", (task_id,))
            raise
        return task_id


class ReturnsNothingWhenInterrupted(QueueAdapter):
    """Correct in every death, and answers nonsense to whoever interrupts it, which no dead process does."""

    def enqueue(self, type, payload, **options):
        try:
            return self.reference.enqueue(type, payload, **options)
        except BaseException:  # noqa: BLE001 - this is what is wrong with it
            return None
