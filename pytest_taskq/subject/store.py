"""Fresh stores for the code under test, each made by the kit in a temporary folder of the run."""

from __future__ import annotations

import itertools
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from pytest_taskq.adapter import QueueAdapter

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_taskq.subject.invocation import Invoker
    from pytest_taskq.subject.subject import Subject


def dsn_of(path: Path) -> str:
    """Return ``sqlite:///path``; an absolute path makes four slashes."""
    return f"sqlite:///{path}"


class Stores:
    """Makes stores below ``folder``; on the shared schema each is a copy of one that the team's own code initialised.

    Copying costs a tenth of a millisecond where creating tables costs ten, and every store begins the same.
    """

    def __init__(self, subject: Subject, folder: Path) -> None:
        self.subject = subject
        self.folder = folder
        self._template: bytes | None = None
        self._numbers = itertools.count(1)

    def fresh(self, invoke: Invoker) -> Path:
        """Return the path of a new store, ready for use."""
        path = self.empty()
        if self.subject.shared_schema:
            path.write_bytes(self._initialised(invoke))
        return path

    def empty(self) -> Path:
        """Return a path in a folder of its own where nothing is yet."""
        place = self.folder / f"store-{next(self._numbers)}"
        place.mkdir(parents=True)
        return place / "queue.db"

    def discard(self, path: Path) -> None:
        """Remove a store with everything beside it."""
        shutil.rmtree(path.parent, ignore_errors=True)

    def _initialised(self, invoke: Invoker) -> bytes:
        if self._template is None:
            path = self.empty()
            adapter = self.subject.adapter(dsn_of(path))
            assert isinstance(adapter, QueueAdapter)  # noqa: S101 - only the shared schema has a template
            try:
                database = invoke(lambda: adapter.db)
                invoke(database.initialize_schema)
                invoke(lambda: adapter.reference)
            finally:
                adapter.close()
            self._template = _whole_file(path)
            self.discard(path)
        return self._template


def _whole_file(path: Path) -> bytes:
    # What is still in the write-ahead log would not be in the copy.
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path.read_bytes()
