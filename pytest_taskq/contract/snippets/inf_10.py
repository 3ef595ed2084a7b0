"""A transaction belongs to a connection: threads that share one share what is uncommitted."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter
from pytest_taskq.reference_impl import QueueDatabase
from pytest_taskq.reference_impl.errors import translated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_taskq import Database


class OneKept(QueueDatabase):
    """Keeps a connection wherever ``kept`` keeps it."""

    kept: Any

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        with translated(self.path):
            if not hasattr(self.kept, "connection"):
                self.kept.connection = sqlite3.connect(
                    self.path, self.busy_timeout, isolation_level=None, check_same_thread=False
                )
                self.kept.connection.row_factory = sqlite3.Row
            yield self.kept.connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        with self.connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            with connection:  # commits, or rolls back what failed
                yield connection

    def close(self) -> None:
        if hasattr(self.kept, "connection"):
            self.kept.connection.close()
            del self.kept.connection


class Broken(QueueAdapter):
    def open_database(self, **settings: Any) -> Database:
        database = OneKept(self.dsn.removeprefix("sqlite:///"), **settings)
        database.kept = SimpleNamespace()
        return database


class Corrected(QueueAdapter):
    def open_database(self, **settings: Any) -> Database:
        database = OneKept(self.dsn.removeprefix("sqlite:///"), **settings)
        database.kept = threading.local()
        return database
