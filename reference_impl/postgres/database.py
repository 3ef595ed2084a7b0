"""One PostgreSQL database, one connection per thread."""

from __future__ import annotations

import random
import time
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg

from pytest_taskq.reference_impl.errors import QueueDatabaseError, QueueOutcomeUnknownError
from pytest_taskq.reference_impl.holding import PerThread
from pytest_taskq.reference_impl.settings import Settings

from . import schema
from .errors import UNDONE, is_lost, translated
from .held import HeldConnection, conninfo, without_password
from .rows import Row, rows_by_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .held import PostgresConnection

TRIES = 10  # of a statement that the server undid
PAUSE = (0.001, 0.02)  # seconds before the next try; random, because those that collided would collide again
_LENGTHS = random.Random()  # noqa: S311 - not a secret


class PostgresDatabase:
    """The queue's database at ``dsn``; may be shared by any number of threads, processes and machines.

    The tables lie in the first schema of the search path, which the DSN may name
    (``postgresql://host/db?options=-csearch_path%3Dmine``) and which must exist.

    ``synchronous``: what was committed survives the death of client and server with each of the three. ``"NORMAL"``
    leaves ``synchronous_commit`` as the server or the DSN sets it (``on`` unless changed); ``"FULL"`` and ``"EXTRA"``
    insist on ``on``. It is never ``off`` by itself: that would lose commits also where only a server process dies.
    ``busy_timeout``: seconds to wait for a lock of others, 0 to 3600; then ``QueueBusyError``. Connections also run
    with ``timezone=UTC``, ``enable_sort=off`` and ``jit=off``; options of the DSN come later and win.

    Nothing is opened before the first use. A connection that the server ended between two calls is replaced; one that
    ends inside a transaction undoes it, and one that ends while a commit is under way is a
    ``QueueOutcomeUnknownError``. A thread's connection is closed when the thread ends or by ``close()``, after which
    the object may be used again. A forked child opens connections of its own.
    """

    def __init__(self, dsn: str, *, synchronous: str = "NORMAL", busy_timeout: float = 5.0, **unknown: object) -> None:
        settings = Settings.checked(synchronous, busy_timeout, unknown)
        self.synchronous = settings.synchronous
        self.busy_timeout = settings.busy_timeout
        self.dsn = dsn
        self.has_extras = False
        self._conninfo = conninfo(dsn, settings)
        self.place = without_password(dsn)
        self._threads = PerThread[HeldConnection]()
        self._reached = False

    @classmethod
    def from_dsn(cls, dsn: str, **settings: object) -> PostgresDatabase:
        """Return the database that ``postgresql://…`` names."""
        return cls(dsn, **settings)  # type: ignore[arg-type] # the constructor checks them

    def __repr__(self) -> str:
        return f"PostgresDatabase({self.place!r})"

    def initialize_schema(self) -> None:
        """Create the tables that are missing; safe to call again, and from many processes at once."""
        with self.connection() as connection:
            if schema.is_complete(connection):
                return
        with self.transaction() as connection:
            schema.create(connection)

    @contextmanager
    def transaction(self) -> Iterator[PostgresConnection]:
        """Yield a connection inside a transaction: committed at the end, rolled back on any exception.

        Raises ``QueueBusyError`` if others hold a lock for longer than the busy timeout, ``QueueDatabaseError`` if
        this thread is inside a transaction already, ``QueueOutcomeUnknownError`` if the connection ends while the
        commit is under way.
        """
        with translated(self.place):
            held = self._outside()
            held.begin()
            try:
                yield held.connection
                held.refuse_if_forked()
                held.commit()
            except BaseException:
                held.roll_back()
                raise

    @contextmanager
    def connection(self) -> Iterator[PostgresConnection]:
        """Yield a connection for reads; inside a transaction of this thread it is that one's."""
        with translated(self.place):
            held = self._held()
            yield from held.lent(inside=held.inside)

    def get_connection(self) -> PostgresConnection:
        """Return this thread's connection. Deprecated: nothing ends what is begun on it."""
        warnings.warn(
            "get_connection() is deprecated: use transaction() for writes and connection() for reads",
            DeprecationWarning,
            stacklevel=2,
        )
        with translated(self.place):
            return self._held().connection

    @contextmanager
    def reading(self) -> Iterator[Statements]:
        """Yield what runs statements that change nothing, in this thread's transaction if it is inside one."""
        with translated(self.place):
            held = self._held()
            yield Statements(self, held, repeatable=not held.inside)

    @contextmanager
    def writing(self) -> Iterator[Statements]:
        """Yield what runs statements each of which is a transaction of its own, in one round trip."""
        with translated(self.place):
            yield Statements(self, self._outside(), repeatable=False)

    def close(self) -> None:
        """Close the connections of all threads; none of them may be inside a transaction."""
        self._threads.close()

    def _outside(self) -> HeldConnection:
        held = self._held()
        if held.is_in_transaction():
            raise QueueDatabaseError(
                "this thread is inside a transaction already, and they do not nest; "
                "use the connection that the outer transaction() gave you"
            )
        return held

    def _held(self) -> HeldConnection:
        held = self._threads.get(self._open)
        if not held.inside and not held.is_alive():
            held.close()
            held = self._threads.get(self._open)
        return held

    def _open(self) -> HeldConnection:
        return HeldConnection(self.connect())

    def connect(self) -> PostgresConnection:
        """Return a new connection, the caller's own to close.

        A server that was reached before is waited for, as it may be restarting.
        """
        deadline = time.monotonic() + self.busy_timeout
        while True:
            try:
                connection = psycopg.connect(self._conninfo, autocommit=True, row_factory=rows_by_name)
            except psycopg.OperationalError as error:
                if not self._reached or time.monotonic() >= deadline:
                    raise QueueDatabaseError(
                        f"{self.place} cannot be reached ({str(error).strip()}): check that the server runs and that "
                        "the DSN names its host, port, user and database"
                    ) from error
                time.sleep(_LENGTHS.uniform(*PAUSE))
            else:
                self._reached = True
                return connection


class Statements:
    """Runs the queue's own statements, each a transaction of its own unless the thread is inside one.

    What the server has undone (a serialization failure, a deadlock) is done again. Where the connection ends while a
    statement runs, one that changes nothing is repeated on a new connection; of any other nobody can know whether it
    was committed.
    """

    __slots__ = ("_db", "_held", "_repeatable")

    def __init__(self, db: PostgresDatabase, held: HeldConnection, *, repeatable: bool) -> None:
        self._db = db
        self._held = held
        self._repeatable = repeatable

    def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = (), /) -> psycopg.Cursor[Row]:
        """Run one statement."""
        tries = TRIES
        while True:
            try:
                return self._held.connection.execute(sql, parameters, prepare=True)
            except UNDONE:
                tries -= 1
                if not tries or self._held.inside:
                    raise
                time.sleep(_LENGTHS.uniform(*PAUSE))
            except psycopg.Error as error:
                if not is_lost(error) or self._held.inside:
                    raise
                self._held = self._replaced(error)

    def _replaced(self, error: psycopg.Error) -> HeldConnection:
        self._held.close()
        if not self._repeatable:
            raise QueueOutcomeUnknownError(
                f"{self._db.place}: the connection was lost while a statement ran ({str(error).strip()}), so nobody "
                "can know whether it was committed; look at the task before doing it again (an enqueue with an "
                "idempotency key, and a renewal, may simply be repeated)"
            ) from error
        return self._db._held()  # noqa: SLF001 - the other half of the database
