"""Counts the virtual-machine steps of SQLite that a call costs, statement by statement: a number without a clock.

SQLite calls the progress handler after each step of its virtual machine
(https://sqlite.org/c3ref/progress_handler.html), so the same statements on the same rows cost the same steps.
"""

from __future__ import annotations

import gc
import re
import sqlite3
from collections import Counter
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LITERALS = re.compile(r"'(?:[^']|'')*'|\b\d+(?:\.\d+)?\b")


def shape_of(statement: str) -> str:
    """Return a statement with its literals left out, so that two runs of it are recognised as one."""
    return " ".join(_LITERALS.sub("?", statement).split())


class Meter:
    """Counts steps on every connection to ``path`` of this process, those opened meanwhile included."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.steps: Counter[str] = Counter()
        self.texts: dict[str, str] = {}
        self._statement = ""

    @property
    def total(self) -> int:
        """Steps counted since the last ``clear``."""
        return sum(self.steps.values())

    def clear(self) -> None:
        """Begin anew."""
        self.steps.clear()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count for as long as the context lasts; nothing stays hooked."""
        hooked = self._connections()
        real = sqlite3.connect

        def connect(*arguments: Any, **keywords: Any) -> sqlite3.Connection:  # noqa: ANN401 - any of connect's
            connection: sqlite3.Connection = real(*arguments, **keywords)
            hooked.append(connection)
            self._hook(connection)
            return connection

        try:
            for connection in hooked:
                self._hook(connection)
            sqlite3.connect = sqlite3.dbapi2.connect = connect  # type: ignore[assignment]  # put back below
            yield
        finally:
            sqlite3.connect = sqlite3.dbapi2.connect = real
            for connection in hooked:
                with suppress(sqlite3.ProgrammingError):  # closed meanwhile
                    connection.set_progress_handler(None, 0)
                    connection.set_trace_callback(None)

    def _hook(self, connection: sqlite3.Connection) -> None:
        connection.set_trace_callback(self._begin)
        connection.set_progress_handler(self._step, 1)

    def _begin(self, statement: str) -> None:
        self._statement = shape_of(statement)
        self.texts.setdefault(self._statement, statement)

    def _step(self) -> int:
        self.steps[self._statement] += 1
        return 0

    def _connections(self) -> list[sqlite3.Connection]:
        return [one for one in gc.get_objects() if isinstance(one, sqlite3.Connection) and self._is_ours(one)]

    def _is_ours(self, connection: sqlite3.Connection) -> bool:
        try:
            files = [row[2] for row in connection.execute("PRAGMA database_list")]
        except sqlite3.Error:  # closed, or of another thread
            return False
        return str(self.path.resolve()) in files or str(self.path) in files
