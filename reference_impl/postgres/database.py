"""One PostgreSQL database, one connection per thread."""

from __future__ import annotations

import random
import select
import time
import warnings
from contextlib import contextmanager
from math import ceil
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import ConnStatus, TransactionStatus

from pytest_taskq.reference_impl.errors import QueueDatabaseError, QueueOutcomeUnknownError
from pytest_taskq.reference_impl.holding import Held, PerThread
from pytest_taskq.reference_impl.settings import Settings

from . import schema
from .errors import UNDONE, is_lost, translated
from .rows import Row, rows_by_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    PostgresConnection = psycopg.Connection[Row]

SCHEMES = ("postgresql://", "postgres://")
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
        self._conninfo = _conninfo(dsn, settings)
        self.place = _without_password(dsn)
        self._threads = PerThread[_Held]()
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
            inside = held.inside
            try:
                yield held.connection
            finally:
                left_open = not inside and held.is_in_transaction()
                if left_open:
                    held.roll_back()
            if left_open:
                raise QueueDatabaseError(
                    "a transaction was begun on connection() and never committed, so it was rolled back; "
                    "write inside transaction()"
                )

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

    def _outside(self) -> _Held:
        held = self._held()
        if held.is_in_transaction():
            raise QueueDatabaseError(
                "this thread is inside a transaction already, and they do not nest; "
                "use the connection that the outer transaction() gave you"
            )
        return held

    def _held(self) -> _Held:
        held = self._threads.get(self._open)
        if not held.inside and not held.is_alive():
            held.close()
            held = self._threads.get(self._open)
        return held

    def _open(self) -> _Held:
        return _Held(self.connect())

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

    def __init__(self, db: PostgresDatabase, held: _Held, *, repeatable: bool) -> None:
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

    def _replaced(self, error: psycopg.Error) -> _Held:
        self._held.close()
        if not self._repeatable:
            raise QueueOutcomeUnknownError(
                f"{self._db.place}: the connection was lost while a statement ran ({str(error).strip()}), so nobody "
                "can know whether it was committed; look at the task before doing it again (an enqueue with an "
                "idempotency key, and a renewal, may simply be repeated)"
            ) from error
        return self._db._held()  # noqa: SLF001 - the other half of the database


class _Held(Held[psycopg.Connection[Row]]):
    """A thread's connection to the server; ``inside``: between the begin and the end of a transaction() block."""

    __slots__ = ("inside",)

    def __init__(self, connection: PostgresConnection) -> None:
        super().__init__(connection)
        self.inside = False

    def is_alive(self) -> bool:
        """Whether the server still listens, as far as can be told without asking: an idle one has nothing to say."""
        if self.connection.pgconn.status != ConnStatus.OK:
            return False
        if not has_news(self.connection, 0):
            return True
        try:
            self.connection.execute("")
        except psycopg.OperationalError:
            return False
        return True

    def is_in_transaction(self) -> bool:
        return self.usable and self.connection.pgconn.transaction_status not in _OUTSIDE

    def begin(self) -> None:
        self.connection.execute("BEGIN")
        self.inside = True

    def commit(self) -> None:
        """Commit what is open. A block that an error spoilt and that went on regardless cannot be."""
        if not self.is_alive():
            raise QueueDatabaseError(
                "the connection was lost inside the transaction: what it had done is undone, try again"
            )
        if self.connection.pgconn.transaction_status != TransactionStatus.INTRANS:
            raise QueueDatabaseError(
                "the transaction is no longer open: a statement in it failed, or ended it; nothing of it was stored"
            )
        try:
            self.connection.execute("COMMIT")
        except psycopg.Error as error:
            if is_lost(error):
                raise QueueOutcomeUnknownError(
                    f"the connection was lost during COMMIT ({str(error).strip()}), so nobody can know whether the "
                    "transaction was stored; look before doing it again"
                ) from error
            raise
        self.inside = False

    def roll_back(self) -> None:
        """Undo what is open; a connection that cannot even do that is closed, which undoes it too."""
        self.inside = False
        if not self.is_in_transaction():
            return
        try:
            self.connection.execute("ROLLBACK")
        except psycopg.Error:
            self.close()


_OUTSIDE = (TransactionStatus.IDLE, TransactionStatus.UNKNOWN)


def has_news(connection: PostgresConnection, seconds: float) -> bool:
    """Whether the server says something within that time; half a microsecond if it is not to be waited for."""
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([connection.pgconn.socket], [], [], seconds)[0])
    poll = select.poll()
    poll.register(connection.pgconn.socket, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


# A queue is empty when it is analysed and full a minute later: the planner would then sort the whole of it for every
# claim, where the first row of an index will do. Told not to, it still sorts where there is no other way.
_PLANNING = ("-c enable_sort=off", "-c jit=off")


def _conninfo(dsn: object, settings: Settings) -> str:
    """Return what to connect with; the DSN's own options come last, so that they win."""
    given = _parsed(dsn)
    options = [f"-c lock_timeout={max(1, ceil(settings.busy_timeout * 1000))}", "-c timezone=UTC", *_PLANNING]
    own = [] if settings.synchronous == "NORMAL" else ["-c synchronous_commit=on"]
    return make_conninfo(
        "",
        **given | {"options": " ".join([*options, str(given.get("options") or ""), *own]).strip()},
    )


def _parsed(dsn: object) -> dict[str, Any]:
    if not isinstance(dsn, str) or not dsn.startswith(SCHEMES):
        raise ValueError(f"the database must be postgresql://user@host:port/name, got {dsn!r}")
    try:
        return dict(conninfo_to_dict(dsn))
    except psycopg.Error as error:
        raise ValueError(f"the database must be postgresql://user@host:port/name, got {dsn!r} ({error})") from error


def _without_password(dsn: str) -> str:
    parts = conninfo_to_dict(dsn)
    host, port = parts.get("host") or "localhost", parts.get("port") or 5432
    return f"postgresql://{host}:{port}/{parts.get('dbname') or ''}"
