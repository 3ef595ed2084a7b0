"""A pragma is set on each connection; only journal_mode stays with the file."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter
from pytest_taskq.reference_impl import QueueDatabase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_taskq import Database


class EachUse(QueueDatabase):
    """Opens a connection for each use and closes it at the end."""

    def open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, self.busy_timeout, isolation_level=None)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        return connection

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        with closing(self.open()) as connection:
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        with self.connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")


class Broken(QueueAdapter):
    class Own(EachUse):
        def initialize_schema(self) -> None:
            with self.connection() as connection:
                connection.execute("PRAGMA foreign_keys = ON")
            super().initialize_schema()

    def open_database(self, **settings: Any) -> Database:
        return self.Own.from_dsn(self.dsn, **settings)


class Corrected(QueueAdapter):
    class Own(EachUse):
        def open(self) -> sqlite3.Connection:
            connection = super().open()
            connection.execute("PRAGMA foreign_keys = ON")
            return connection

    def open_database(self, **settings: Any) -> Database:
        return self.Own.from_dsn(self.dsn, **settings)
