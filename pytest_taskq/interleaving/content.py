"""What is committed in a SQLite file, as a number that is equal for equal contents."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_taskq.interleaving.actor import Interner


class Content:
    """Reads the file through a connection of the kit's own, open throughout: no actor's close is the last one."""

    def __init__(self, path: Path, interner: Interner) -> None:
        # Not sqlite3.connect, which the statement hook replaces. Actors ask too, but one at a time.
        self._connection = sqlite3.Connection(path, timeout=0, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA synchronous = OFF")  # closing it moves the log into a file nobody wants
        self._connection.text_factory = bytearray  # a row may hold text that is not UTF-8, and a blob equal to it
        self._interner = interner
        self._version = -1
        self._schema = -1
        self._tables: list[str] = []
        self._number: int | None = None
        self._sizes: dict[str, int] = {}
        self.largest_drop = 0

    def number(self) -> int | None:
        """Return the number of what is committed; None while a lock keeps readers out."""
        try:
            version = self._connection.execute("PRAGMA data_version").fetchone()[0]
            if version != self._version or self._number is None:
                self._number = self._interner.number(self._read())
                self._version = version
        except sqlite3.OperationalError:
            self._sizes = {}  # what left meanwhile may have left in several steps
            return None
        return self._number

    def _read(self) -> tuple[object, ...]:
        self._connection.execute("BEGIN")
        try:
            schema = self._connection.execute("PRAGMA schema_version").fetchone()[0]
            if schema != self._schema:
                found = self._connection.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
                ).fetchall()
                self._tables, self._schema = [_quoted(name.decode()) for (name,) in found], schema
            rows = [self._connection.execute(f"SELECT * FROM {name}").fetchall() for name in self._tables]
        finally:
            self._connection.execute("COMMIT")
        sizes = {name: len(some) for name, some in zip(self._tables, rows, strict=True)}
        drops = (before - sizes.get(name, 0) for name, before in self._sizes.items())
        self._sizes, self.largest_drop = sizes, max(self.largest_drop, *drops, 0)
        return schema, repr(rows)  # which tells 1 from 1.0 and a text from a blob

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
