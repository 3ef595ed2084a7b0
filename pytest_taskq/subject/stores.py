"""Fresh stores for the code under test, each made by the kit and removed by it."""

from __future__ import annotations

import itertools
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from pytest_taskq.adapter import QueueAdapter
from pytest_taskq.subject.store import SQLITE, FileStore, dsn_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_taskq.subject.bench import Bench
    from pytest_taskq.subject.invocation import Invoker
    from pytest_taskq.subject.store import Store
    from pytest_taskq.subject.subject import Subject


class Stores:
    """Makes stores below ``folder``; on the shared schema each is a copy of one that the team's own code initialised.

    Copying costs a tenth of a millisecond where creating tables costs ten, and every store begins the same.
    """

    backend = SQLITE

    def __init__(self, subject: Subject, folder: Path) -> None:
        self.subject = subject
        self.folder = folder
        self._template: bytes | None = None
        self._numbers = itertools.count(1)

    def fresh(self, invoke: Invoker, *, in_real_time: bool = False) -> Store:
        """Return a new store, ready for use; ``in_real_time`` if its clock is not to be moved."""
        del in_real_time  # one that nobody moves goes by itself
        store = self._empty()
        if self.subject.shared_schema:
            store.path.write_bytes(self._initialised(invoke))
        return store

    def restored(self, files: Mapping[str, bytes]) -> Store:
        """Return a new store made of ``files``."""
        store = self._empty()
        for name, content in files.items():
            file = store.folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        return store

    def discard(self, store: Store) -> None:
        """Remove a store with everything beside it."""
        store.close()
        shutil.rmtree(store.folder, ignore_errors=True)

    def require_clock(self, bench: Bench) -> None:
        """Raise UnsupportedError where the code under test goes by a clock that the kit cannot move."""

    @property
    def time_note(self) -> str:
        """What is to be said of how time is moved for this code, "" where it asks a clock of the kit's."""
        return ""

    def close(self) -> None:
        """Remove what was kept for the next store."""

    def place(self) -> Path:
        """Return a new folder for one store."""
        place = self.folder / f"store-{next(self._numbers)}"
        place.mkdir(parents=True)
        return place

    def _empty(self) -> FileStore:
        path = self.place() / "queue.db"
        return FileStore(path, str(path) if self.subject.standalone else dsn_of(path))

    def _initialised(self, invoke: Invoker) -> bytes:
        if self._template is None:
            store = self._empty()
            initialise(self.subject, store, invoke)
            self._template = _whole_file(store.path)
            self.discard(store)
        return self._template


def initialise(subject: Subject, store: Store, invoke: Invoker) -> None:
    """Let the team's own code make the tables of a store that has none."""
    adapter = subject.adapter(store.dsn)
    assert isinstance(adapter, QueueAdapter)  # noqa: S101 - only the shared schema has tables to make
    try:
        database = invoke(lambda: adapter.db)
        invoke(database.initialize_schema)
        invoke(lambda: adapter.reference)
    finally:
        adapter.close()


def _whole_file(path: Path) -> bytes:
    # What is still in the write-ahead log would not be in the copy.
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path.read_bytes()
