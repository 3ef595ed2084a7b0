"""An error that was logged is still an error: the caller would take the task for stored."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter
from pytest_taskq.reference_impl import QueueDatabase, QueueDatabaseError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from pytest_taskq import Database

log = logging.getLogger("queue")


class Broken(QueueAdapter):
    class Logged(QueueDatabase):
        @contextmanager
        def transaction(self) -> Iterator[sqlite3.Connection]:
            try:
                with super().transaction() as connection:
                    yield connection
            except QueueDatabaseError:
                log.exception("a write failed")

    def open_database(self, **settings: Any) -> Database:
        return self.Logged.from_dsn(self.dsn, **settings)


class Corrected(QueueAdapter):
    class Logged(QueueDatabase):
        @contextmanager
        def transaction(self) -> Iterator[sqlite3.Connection]:
            try:
                with super().transaction() as connection:
                    yield connection
            except QueueDatabaseError:
                log.exception("a write failed")
                raise

    def open_database(self, **settings: Any) -> Database:
        return self.Logged.from_dsn(self.dsn, **settings)
