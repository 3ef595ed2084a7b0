"""Waiting for locks without SQLite's busy handler: statements do not wait, and are run again.

The way where the VFS is out of reach (static builds hide the symbols that lead there). SQLite waits on a connection
that is in no read transaction yet; one that is would wait for itself, and gets SQLITE_BUSY at once. Here that is told
from the statements: a transaction that has run one, beside its BEGIN, has begun to read.
"""

from __future__ import annotations

import sqlite3
from weakref import WeakKeyDictionary, WeakSet


class Timeouts:
    """The busy timeouts that the code asked for, while each connection's own is zero."""

    def __init__(self) -> None:
        self._asked: WeakKeyDictionary[sqlite3.Connection, float] = WeakKeyDictionary()
        self._reading: WeakSet[sqlite3.Connection] = WeakSet()

    def take(self, connection: sqlite3.Connection) -> None:
        """Remember what the code set, and let the connection itself not wait."""
        try:
            (milliseconds,) = sqlite3.Connection.execute(connection, "PRAGMA busy_timeout").fetchone()
            self._asked[connection] = milliseconds / 1000
            sqlite3.Connection.execute(connection, "PRAGMA busy_timeout = 0")
        except (sqlite3.Error, TypeError, ValueError):
            return  # closed, or of a class that takes no weak reference, or with rows of its own kind

    def ran(self, connection: sqlite3.Connection, sql: str) -> None:
        """Learn that a statement ran."""
        text = sql.upper().lstrip()
        if text.startswith("PRAGMA") and "BUSY_TIMEOUT" in text and ("=" in text or "(" in text):
            self.take(connection)
        if not connection.in_transaction:
            self._reading.discard(connection)
        elif not text.startswith("BEGIN"):
            self._reading.add(connection)

    def of(self, connection: sqlite3.Connection) -> float:
        """Return the seconds that the code is willing to wait."""
        return self._asked.get(connection, 0.0)

    def waits(self, connection: sqlite3.Connection, error: sqlite3.Error) -> bool:
        """Whether SQLite would have waited where it now raised ``error``."""
        code = getattr(error, "sqlite_errorcode", 0)
        reading = connection in self._reading and connection.in_transaction
        return code == sqlite3.SQLITE_BUSY and self.of(connection) > 0 and not reading
