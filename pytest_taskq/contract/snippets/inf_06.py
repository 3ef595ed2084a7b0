"""BEGIN takes no lock before the first write, so that what was read before it is overtaken."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter
from pytest_taskq.reference_impl import QueueDatabase

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from pytest_taskq import Database


class Broken(QueueAdapter):
    class Own(QueueDatabase):
        @contextmanager
        def transaction(self) -> Iterator[sqlite3.Connection]:
            with self.connection() as connection:
                connection.execute("BEGIN")
                with connection:  # commits, or rolls back what failed
                    yield connection

    def open_database(self, **settings: Any) -> Database:
        return self.Own.from_dsn(self.dsn, **settings)


class Corrected(QueueAdapter):
    class Own(QueueDatabase):
        @contextmanager
        def transaction(self) -> Iterator[sqlite3.Connection]:
            with self.connection() as connection:
                connection.execute("BEGIN IMMEDIATE")
                with connection:  # commits, or rolls back what failed
                    yield connection

    def open_database(self, **settings: Any) -> Database:
        return self.Own.from_dsn(self.dsn, **settings)
