"""The floor: bare transactions that change as much as a call does, where the queue is, with its settings.

A table of its own with one index, as many rows as the queue has, prepared statements, one connection, nothing checked.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Literal, Protocol

from pytest_taskq.subject.store import POSTGRESQL
from pytest_taskq.subject.violation import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import psycopg

    from pytest_taskq.subject import QueueUnderTest

Change = Literal["insert", "update", "count"]
_TABLE = """
    CREATE TABLE floor (
        id {key}, status text NOT NULL, priority integer NOT NULL, payload text NOT NULL, locked_by text
    )
"""
_INDEX = "CREATE INDEX floor_next ON floor (status, priority, id)"
_FILL = """
    INSERT INTO floor (status, priority, payload)
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) SELECT 'queued', 100, '{{}}' FROM n
"""
_INSERT = "INSERT INTO floor (status, priority, payload) VALUES ('queued', 100, '{}')"
_UPDATE = (
    "UPDATE floor SET status = CASE status WHEN 'queued' THEN 'leased' ELSE 'queued' END, locked_by = 'w' WHERE id = "
)
_COUNT = "SELECT status, count(*) FROM floor GROUP BY status"
_SQLITE_KEY, _SERVER_KEY = "INTEGER PRIMARY KEY AUTOINCREMENT", "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY"


class Floor(Protocol):
    """What a floor is."""

    described: str

    def transaction(self, change: Change) -> Callable[[], object]:
        """Return what makes one bare transaction of a kind."""
        ...

    def keep(self) -> None:
        """Take out again what inserts brought."""
        ...


class _OnSqlite:
    def __init__(self, path: Path, synchronous: int, page: int, rows: int) -> None:
        self._rows = rows
        self._next = 0
        self.connection = sqlite3.connect(path, isolation_level=None, timeout=30)
        for setting in (f"page_size = {page}", "journal_mode = WAL", f"synchronous = {synchronous}"):
            self.connection.execute(f"PRAGMA {setting}")
        for statement in (_TABLE.format(key=_SQLITE_KEY), _INDEX, _FILL.format(rows=rows)):
            self.connection.execute(statement)
        self.described = f"bare transactions of SQLite, WAL, synchronous {synchronous}, pages of {page}"

    def transaction(self, change: Change) -> Callable[[], object]:
        return {"insert": self._insert, "update": self._update, "count": self._count}[change]

    def keep(self) -> None:
        self.connection.execute("DELETE FROM floor WHERE id > ?", (self._rows,))

    def _insert(self) -> None:
        execute = self.connection.execute
        execute("BEGIN IMMEDIATE")
        execute(_INSERT)
        execute("COMMIT")

    def _update(self) -> None:
        self._next = self._next % self._rows + 1
        execute = self.connection.execute
        execute("BEGIN IMMEDIATE")
        execute(f"{_UPDATE}?", (self._next,))
        execute("COMMIT")

    def _count(self) -> object:
        return self.connection.execute(_COUNT).fetchall()


class _OnServer:
    described = "bare transactions of PostgreSQL, one statement and one round trip each"

    def __init__(self, connection: psycopg.Connection[object], rows: int) -> None:
        self._rows = rows
        self._next = 0
        self.connection = connection
        for statement in (_TABLE.format(key=_SERVER_KEY), _INDEX, _FILL.format(rows=rows), "VACUUM (ANALYZE) floor"):
            self.connection.execute(statement)

    def transaction(self, change: Change) -> Callable[[], object]:
        return {"insert": self._insert, "update": self._update, "count": self._count}[change]

    def keep(self) -> None:
        self.connection.execute("DELETE FROM floor WHERE id > %s", (self._rows,))

    def _insert(self) -> None:
        self.connection.execute(_INSERT)

    def _update(self) -> None:
        self._next = self._next % self._rows + 1
        self.connection.execute(f"{_UPDATE}%s", (self._next,))

    def _count(self) -> object:
        return self.connection.execute(_COUNT).fetchall()


@contextmanager
def floor_beside(queue: QueueUnderTest, rows: int) -> Iterator[Floor]:
    """Yield the floor of the place where the queue's store is; it is removed at the end.

    For a queue with a storage that the kit does not know it is SQLite's, on the file system of temporary files.
    """
    if queue.store.backend == POSTGRESQL or queue.dsn.startswith(("postgresql:", "postgres:")):
        with _on_server(queue.dsn, rows) as floor:
            yield floor
        return
    synchronous, page = _settings(queue)
    folder = queue.store.folder / "taskq-floor"
    folder.mkdir(parents=True)
    path = folder / "floor.db"
    floor = _OnSqlite(path, synchronous, page, rows)
    try:
        yield floor
    finally:
        floor.connection.close()
        for end in ("", "-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)
        with suppress(OSError):
            folder.rmdir()


@contextmanager
def _on_server(dsn: str, rows: int) -> Iterator[Floor]:
    from pytest_taskq.postgres.server import connected, schema_of_its_own

    with schema_of_its_own(dsn) as (place, _), connected(place, prepare_threshold=0) as connection:
        yield _OnServer(connection, rows)


def _settings(queue: QueueUnderTest) -> tuple[int, int]:
    """Return how often SQLite syncs on the queue's own connections, and the size of its pages."""
    if queue.subject.standalone:
        return _NORMAL, _page_of(queue)
    with queue.adapter.db.connection() as connection:  # type: ignore[union-attr]  # only a standalone queue has none
        return int(connection.execute("PRAGMA synchronous").fetchone()[0]), _page_of(queue)


_NORMAL, _PAGE = 1, 4096


def _page_of(queue: QueueUnderTest) -> int:
    try:
        with queue.path.open("rb") as file:
            header = file.read(18)
    except (OSError, UnsupportedError):
        return _PAGE
    page = int.from_bytes(header[16:18], "big") if header[:6] == b"SQLite" else _PAGE
    return 65_536 if page == 1 else page
