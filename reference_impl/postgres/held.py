"""A thread's connection to the server: how it is made, whether it still lives, how a transaction on it ends."""

from __future__ import annotations

import select
from math import ceil
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import ConnStatus, TransactionStatus

from pytest_taskq.reference_impl.errors import QueueDatabaseError, QueueOutcomeUnknownError
from pytest_taskq.reference_impl.holding import Held

from .errors import is_lost
from .rows import Row

if TYPE_CHECKING:
    from pytest_taskq.reference_impl.settings import Settings

    PostgresConnection = psycopg.Connection[Row]

SCHEMES = ("postgresql://", "postgres://")


class HeldConnection(Held[psycopg.Connection[Row]]):
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
        """Whether a transaction is open on it, by whomever."""
        return self.usable and self.connection.pgconn.transaction_status not in _OUTSIDE

    def begin(self) -> None:
        """Begin a transaction."""
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


def conninfo(dsn: object, settings: Settings) -> str:
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


def without_password(dsn: str) -> str:
    """Return what may be shown of a DSN: host, port and name of the database."""
    parts = conninfo_to_dict(dsn)
    host, port = parts.get("host") or "localhost", parts.get("port") or 5432
    return f"postgresql://{host}:{port}/{parts.get('dbname') or ''}"
