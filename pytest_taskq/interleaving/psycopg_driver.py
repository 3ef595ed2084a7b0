"""psycopg 3, as schedules see it: what its connections and statements are to them."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.pq import TransactionStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_taskq.interleaving.site import Part
    from pytest_taskq.postgres.backends import Backends
    from pytest_taskq.statements import Statement

# The first to wait looks for a deadlock first. It is to find it, and not the last one, so that runs repeat themselves:
# the steps that close a circle take a few milliseconds, on a busy machine some hundred. Nothing here can be lost by a
# crash of the server.
_SETTINGS = "SET synchronous_commit = off; SHOW default_transaction_isolation"
_OF_SUPERUSERS = "SET deadlock_timeout = '1s'; "
# Serializable transactions depend on what others read that are over; a session that listens, on who notified it.
_BY_STATEMENT = (None, psycopg.IsolationLevel.READ_COMMITTED)
_UNACCOUNTABLE = ("SERIALIZABLE", "LISTEN")
_OUTSIDE = (TransactionStatus.IDLE, TransactionStatus.UNKNOWN)
# None of these takes a snapshot, nor takes or frees a lock, so that no other session can tell when it ran.
_ASIDE = ("BEGIN", "START TRANSACTION", "SAVEPOINT", "RELEASE", "SET ", "DEALLOCATE")
_DEADLOCK = re.compile(r"\s*DETAIL:\s+Process \d.*", re.DOTALL)
_PLACE = re.compile(r"\btuple \(\d+,\d+\)")
_DEFERRED = "SET CONSTRAINTS"  # makes up for checks that were put off


class PsycopgDriver:
    """psycopg 3."""

    name = "psycopg 3"

    def __init__(self, backends: Backends) -> None:
        self._backends = backends
        self._serializable = False
        self._asking: set[int] = set()  # the threads that wait for an answer to the kit itself
        self.keeps_snapshots = False  # from the first statement of a transaction to its end

    def opened(self, connection: Any, actor: int) -> int:  # noqa: ANN401 - a connection of either kind
        """Let the session do without what costs time; return the id of its process."""
        del actor
        may = connection.pgconn.parameter_status(b"is_superuser") == b"on"
        with self._asks():
            shown = connection.pgconn.exec_((_OF_SUPERUSERS * may + _SETTINGS).encode())
        level = (shown.get_value(0, 0) or b"").upper()
        self._serializable |= level == b"SERIALIZABLE"
        self.keeps_snapshots |= level != b"READ COMMITTED"
        return int(connection.pgconn.backend_pid)

    def in_transaction(self, connection: Any) -> bool:  # noqa: ANN401 - a connection of either kind
        """Whether a connection is inside a transaction."""
        return connection.pgconn.transaction_status not in _OUTSIDE

    def close(self, connection: Any) -> None:  # noqa: ANN401 - a connection of either kind
        """Close a connection, past what its class may do beside."""
        with suppress(psycopg.Error):
            connection.pgconn.finish()

    def part(self, sql: str) -> Part:
        """Return what a statement is to the schedule."""
        text = sql.strip("; \t\r\n").upper()
        if not text:
            return "nothing"
        several = ";" in text
        return "aside" if text.startswith(_ASIDE) and not text.startswith(_DEFERRED) and not several else "step"

    def steady(self, text: str) -> str:
        """Return ``text`` without numbers of processes and transactions, and places in a file."""
        return _PLACE.sub("tuple …", _DEADLOCK.sub("", text))

    def is_timeout(self, error: Exception) -> bool:
        """Whether ``lock_timeout`` ran out; NOWAIT says the same, without having waited."""
        return isinstance(error, psycopg.errors.LockNotAvailable)

    def is_accountable(self, statement: Statement) -> bool:
        """Whether it is neither serializable nor about notifications."""
        level = statement.connection.isolation_level
        self.keeps_snapshots |= level not in _BY_STATEMENT or "ISOLATION" in statement.sql.upper()
        said = any(word in statement.sql.upper() for word in _UNACCOUNTABLE)
        return not said and not self._serializable and level != psycopg.IsolationLevel.SERIALIZABLE

    def seed(self, connection: Any, actor: int, step: int) -> None:  # noqa: ANN401 - a connection of either kind
        """Seed ``random()`` of the session, by what takes no snapshot."""
        if connection.pgconn.transaction_status in (TransactionStatus.IDLE, TransactionStatus.INTRANS):
            with self._asks():
                connection.pgconn.exec_(b"SET seed = %f" % (((actor + 1) * 0.618034 + step * 0.414214) % 1))

    def end(self, backends: list[int]) -> None:
        """Return when the processes are gone."""
        with self._asks():
            self._backends.wait_until_gone(backends)

    @contextmanager
    def _asks(self) -> Iterator[None]:
        here = threading.get_ident()
        self._asking.add(here)
        try:
            yield
        finally:
            self._asking.discard(here)

    def answers(self, thread: threading.Thread | None) -> bool:
        """Whether a thread waits for an answer to the kit, which a busy server gives late and no actor keeps back."""
        return thread is not None and thread.ident in self._asking
