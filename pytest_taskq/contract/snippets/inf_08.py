"""Who adds to an error leaves its class: a busy queue is tried again, a broken one is not."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter
from pytest_taskq.reference_impl import QueueDatabase, QueueDatabaseError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from pytest_taskq import Database


class Broken(QueueAdapter):
    class Named(QueueDatabase):
        @contextmanager
        def transaction(self) -> Iterator[sqlite3.Connection]:
            try:
                with super().transaction() as connection:
                    yield connection
            except QueueDatabaseError as error:
                raise QueueDatabaseError(f"in the orders' queue: {error}") from error.__cause__

    def open_database(self, **settings: Any) -> Database:
        return self.Named.from_dsn(self.dsn, **settings)


class Corrected(QueueAdapter):
    class Named(QueueDatabase):
        @contextmanager
        def transaction(self) -> Iterator[sqlite3.Connection]:
            try:
                with super().transaction() as connection:
                    yield connection
            except QueueDatabaseError as error:
                error.add_note("in the orders' queue")
                raise

    def open_database(self, **settings: Any) -> Database:
        return self.Named.from_dsn(self.dsn, **settings)
