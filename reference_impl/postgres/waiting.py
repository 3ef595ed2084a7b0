"""Waiting for work without asking for it again and again."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg

from pytest_taskq.reference_impl.waiting import Waiting

from .access import PostgresAccess
from .database import PostgresDatabase
from .errors import is_lost, translated
from .held import has_news

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pytest_taskq.reference_impl.waiting import Waiter


SETTLING = (0.01, 1.0)  # seconds between looks whether the transactions under way at the beginning ended: ever longer

_CHANNEL = "SELECT 'taskq_' || 'task_queue'::regclass::oid"
_REGISTER = "SELECT pg_advisory_lock_shared('task_queue'::regclass::oid::integer, 2)"
_BEGUN = "SELECT now() AS looked, pg_current_xact_id()::text AS horizon"  # whoever began to write before has a lower id
_SETTLED = "SELECT pg_snapshot_xmin(pg_current_snapshot()) >= %s::text::xid8"
# The next moment after the last look at which a task comes due or a lease is over.
_NEXT = """
    SELECT now() AS looked, extract(epoch FROM least(
        (
            SELECT coalesce(run_after_utc, '-infinity') FROM task_queue
            WHERE status = 'queued' AND NOT ready AND coalesce(run_after_utc, '-infinity') > %(looked)s
            ORDER BY coalesce(run_after_utc, '-infinity') LIMIT 1
        ), (
            SELECT lease_until_utc FROM task_queue
            WHERE status = 'leased' AND lease_until_utc > %(looked)s ORDER BY lease_until_utc LIMIT 1
        )
    ) - now())::double precision AS seconds
"""


class PostgresWaiting(PostgresAccess, Waiting):
    """How a worker without work waits for some."""

    @contextmanager
    def waiter(self) -> Iterator[Waiter]:
        """Yield what waits for work, on a connection of its own; open it before the claim that comes back empty."""
        if not isinstance(self.db, PostgresDatabase):
            raise TypeError(
                f"waiting needs a connection of its own, which only PostgresDatabase opens, got {self.db!r}"
            )
        waiter = _Listening(self.db)
        try:
            yield waiter
        finally:
            waiter.close()


class _Listening:
    """Is told when tasks come or come back, and knows when delays and leases end; for use by one thread."""

    def __init__(self, db: PostgresDatabase) -> None:
        self._db = db
        self._connection, self._told = db.connect(), False
        self._pause, self._settled = SETTLING[0], False
        self._looked: datetime
        self._horizon: str
        self._register()

    def wait(self, seconds: float) -> bool:
        """As ``Waiter.wait``; after a lost connection it is True, once there is a new one."""
        deadline = time.monotonic() + seconds
        with translated(self._db.place):
            try:
                while True:
                    if self._was_told(0) or self._has_settled():
                        return True
                    if (left := deadline - time.monotonic()) <= 0:
                        return False
                    due = self._seconds_to_next()
                    nearest = min(due, left) if self._settled else min(due, left, self._pause)
                    self._pause = min(2 * self._pause, SETTLING[1])
                    if self._was_told(max(nearest, 0)) or (due <= nearest and self._looks_due()):
                        return True
            except psycopg.Error as error:
                if not is_lost(error):
                    raise
                self.close()
                self._connection = self._db.connect()
                self._register()
                return True

    def close(self) -> None:
        """Stop waiting: nobody sends a notification on our account any more."""
        self._connection.close()

    def _register(self) -> None:
        """Listen, then say that somebody does, then see who may not have noticed.

        Whoever stored a task without seeing us had a transaction under way by then. Once all of those have ended,
        what they stored can be seen, and from then on everybody tells.
        """
        with translated(self._db.place):
            self._connection.add_notify_handler(self._hear)
            channel = self._connection.execute(_CHANNEL).fetchone()[0]  # type: ignore[index] # always one row
            self._connection.execute(f"LISTEN {channel}")
            self._connection.execute(_REGISTER)
            begun: Any = self._connection.execute(_BEGUN).fetchone()
            self._looked, self._horizon = begun["looked"], begun["horizon"]
            self._pause, self._settled = SETTLING[0], False
            self._has_settled()  # whoever ended by now will have been seen by the claim

    def _was_told(self, seconds: float) -> bool:
        """Whether a notification has come, or comes within that time; those that came with an answer count."""
        connection = self._connection.pgconn
        if has_news(self._connection, 0 if self._told else seconds):
            connection.consume_input()
        while connection.notifies() is not None:
            self._told = True
        told, self._told = self._told, False
        return told

    def _hear(self, _: object) -> None:
        self._told = True

    def _has_settled(self) -> bool:
        """Whether those who may not have noticed us have all ended, and had not when we looked before."""
        if self._settled:
            return False
        row: Any = self._connection.execute(_SETTLED, (self._horizon,)).fetchone()
        self._settled = bool(row[0])
        return bool(row[0])

    def _seconds_to_next(self) -> float:
        row: Any = self._connection.execute(_NEXT, {"looked": self._looked}).fetchone()
        return float("inf") if row["seconds"] is None else float(row["seconds"])

    def _looks_due(self) -> bool:
        """Whether the next moment has come by the server's clock; it is not waited for a second time then."""
        row: Any = self._connection.execute(_NEXT, {"looked": self._looked}).fetchone()
        if row["seconds"] is None or row["seconds"] > 0:
            return False
        self._looked = row["looked"]
        return True
