"""A store for the code under test, and plain SQL on it through connections of the kit's own."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Protocol, Self

from pytest_taskq.contract.settings import PRAGMAS, pragma
from pytest_taskq.subject.violation import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pytest_taskq.clock import VirtualClock
    from pytest_taskq.contract import Connection
    from pytest_taskq.contract.settings import Setting

SQLITE, POSTGRESQL = "sqlite", "postgresql"
SHIFTED = "in time that was moved by shifting what is stored"  # said where the code goes by the server's own clock


def dsn_of(path: Path) -> str:
    """Return ``sqlite:///path``; an absolute path makes four slashes."""
    return f"sqlite:///{path}"


class RowRefusedError(Exception):
    """The tables do not take such a row."""


class PlainRow(Protocol):
    """A row that answers to index and to column name; times are UTC texts."""

    def __getitem__(self, key: Any, /) -> Any: ...  # noqa: ANN401 - an index or a name, and any value

    def __iter__(self) -> Iterator[Any]: ...

    def keys(self) -> Sequence[str]:
        """Return the names of the columns."""
        ...


class PlainSql(Protocol):
    """A connection of the kit's own, in autocommit mode."""

    def run(self, statement: str, parameters: Sequence[Any] | Mapping[str, Any]) -> Sequence[PlainRow]:
        """Run a statement with ``?`` for each parameter. Raises RowRefusedError where the tables refuse a row."""
        ...

    def run_each(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement for each of ``rows`` in one transaction, waiting its turn among busy workers."""
        ...

    def version(self) -> int:
        """Return a number that changes when, and only when, another connection commits a write."""
        ...

    def lock(self) -> None:
        """Keep everybody else from writing tasks until ``unlock``."""
        ...

    def unlock(self) -> None:
        """Let go of the lock, with nothing written."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


class TimedCall:
    """A call of the code under test, as the store's clock is shown to it; here nothing needs to be done for that."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Show the code no more."""

    def given(self, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the arguments as the code is to see them."""
        return arguments

    def seen(self, result: Any) -> Any:  # noqa: ANN401 - any result
        """Return what the call returned as the kit is to see it; asked once, as soon as the call is over."""
        return result


_AS_IT_IS = TimedCall()


class Store:
    """One place for tasks. ``dsn`` is what the adapter is given; ``folder`` is for files about it and goes with it."""

    backend = ""
    placeholder = "?"  # of the driver that the code under test uses
    integrity_check = ""  # a statement whose only row is "ok" where nothing is broken

    def __init__(self, dsn: str, folder: Path) -> None:
        self.dsn = dsn
        self.folder = folder

    @property
    def path(self) -> Path:
        """The SQLite file. Raises UnsupportedError for any other store."""
        raise UnsupportedError(
            f"this needs the files of an SQLite database, and the store is {self.backend or self.dsn}"
        )

    @property
    def driver_error(self) -> type[Exception]:
        """The class of the errors that the driver raises."""
        raise UnsupportedError(f"nothing is known of the driver of {self.backend or self.dsn}")

    def connect(self) -> PlainSql:
        """Return a new connection for plain SQL."""
        raise UnsupportedError(f"plain SQL needs tables that the kit can reach, and the store is {self.dsn}")

    @contextmanager
    def bare(self, name: str = "fresh") -> Iterator[Store]:
        """Yield a place of the same kind that nobody has made tables in yet; it is removed at the end.

        ``name`` tells the places beside one store apart.
        """
        if name:
            raise UnsupportedError(f"the kit cannot make a second place beside {self.dsn}")
        yield self

    def objects(self) -> Sequence[tuple[Any, ...]]:
        """Return every object of the schema with its definition, and how many rows each table has, in an order."""
        raise UnsupportedError(f"nothing is known of the tables of {self.backend or self.dsn}")

    def settings(self, connection: Connection) -> Sequence[Setting]:
        """Return what the contract asks of a connection (INF-04), as it is on this one of the code under test."""
        del connection
        raise UnsupportedError(f"nothing is known of the settings of {self.backend or self.dsn}")

    def show(self, milliseconds: int) -> None:
        """Let the store's own clock show the kit's own SQL a virtual moment; nothing to do where it has none."""

    def call_at(self, clock: VirtualClock, method: str, arguments: tuple[Any, ...]) -> TimedCall:
        """Return the context in which the code under test is called, and goes by ``clock``."""
        del method, arguments
        self.show(clock.milliseconds)
        return _AS_IT_IS

    def show_real_time(self) -> None:
        """Let the store's own clock show real time."""

    def close(self) -> None:
        """Let go of what the kit holds of it."""


class FileStore(Store):
    """An SQLite file in a folder of its own, or where a standalone queue is told to put whatever it stores."""

    backend = SQLITE
    integrity_check = "PRAGMA integrity_check(3)"

    def __init__(self, path: Path, dsn: str) -> None:
        super().__init__(dsn, path.parent)
        self._path = path

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    @property
    def driver_error(self) -> type[Exception]:
        """The class of sqlite3's errors."""
        return sqlite3.Error

    def connect(self) -> PlainSql:
        """Return a new connection; it belongs to the thread that asks."""
        return _SqliteSql(self._path)

    @contextmanager
    def bare(self, name: str = "fresh") -> Iterator[Store]:
        """Yield a path in a new folder beside this one; what is made there goes with this store."""
        path = self._path.parent / name / "queue.db"
        path.parent.mkdir()
        yield FileStore(path, dsn_of(path))

    def objects(self) -> Sequence[tuple[Any, ...]]:
        """Return what sqlite_master holds."""
        with closing(sqlite3.connect(self._path)) as connection:
            found = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
            tables = [name for kind, name, _ in found if kind == "table"]
            rows = [(name, connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]) for name in tables]
        return sorted(map(tuple, found), key=str) + sorted(rows)

    def settings(self, connection: Connection) -> Sequence[Setting]:
        """Return the pragmas."""
        return [pragma(name, connection.execute(f"PRAGMA {name}").fetchone()[0]) for name in PRAGMAS]


class _SqliteSql:
    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=30)
        self._connection.row_factory = sqlite3.Row

    def run(self, statement: str, parameters: Sequence[Any] | Mapping[str, Any]) -> Sequence[PlainRow]:
        try:
            return self._connection.execute(statement, parameters).fetchall()
        except sqlite3.IntegrityError as error:
            raise RowRefusedError(str(error)) from error

    def run_each(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        # SQLite's own wait sleeps ever longer, and would not get a turn among workers that ask again at once.
        begin_patiently(self._connection)
        self._connection.executemany(statement, rows)
        self._connection.execute("COMMIT")

    def version(self) -> int:
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def lock(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def unlock(self) -> None:
        self._connection.execute("ROLLBACK")

    def close(self) -> None:
        self._connection.close()


def begin_patiently(connection: sqlite3.Connection, seconds: float = 30.0) -> None:
    """Take the write lock, asking at short intervals. Raises sqlite3.OperationalError after ``seconds``."""
    connection.execute("PRAGMA busy_timeout = 0")
    until = monotonic() + seconds
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            if monotonic() > until:
                raise
        else:
            return
        sleep(0.0003)
