"""How long a look at a database in production may take."""

from __future__ import annotations

import sqlite3
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_STEPS = 10_000  # of SQLite's machine between two looks at the time: some tenths of a millisecond


class Deadline:
    """``seconds`` from now."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def over(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() > self._end

    @contextmanager
    def held_by(self, connection: sqlite3.Connection) -> Iterator[None]:
        """Interrupt what the connection does in the block when the time is up: it raises OperationalError."""
        connection.set_progress_handler(lambda: self.over, _STEPS)
        try:
            yield
        finally:
            connection.set_progress_handler(None, 0)


def was_interrupted(error: sqlite3.Error) -> bool:
    """Whether the deadline ended the statement, and not what it found."""
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) == sqlite3.SQLITE_INTERRUPT
