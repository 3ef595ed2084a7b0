"""Processes that start together all find a fresh file, unless they look under the lock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter
from pytest_taskq.reference_impl import QueueDatabase

if TYPE_CHECKING:
    from pytest_taskq import Database

FIND = "SELECT 1 FROM sqlite_master WHERE name = 'team_version'"
CREATE = "CREATE TABLE team_version AS SELECT 7 AS version"


class Broken(QueueAdapter):
    class Versioned(QueueDatabase):
        def initialize_schema(self) -> None:
            with self.connection() as connection:
                is_fresh = connection.execute(FIND).fetchone() is None
            super().initialize_schema()
            if is_fresh:
                with self.transaction() as connection:
                    connection.execute(CREATE)

    def open_database(self, **settings: Any) -> Database:
        return self.Versioned.from_dsn(self.dsn, **settings)


class Corrected(QueueAdapter):
    class Versioned(QueueDatabase):
        def initialize_schema(self) -> None:
            super().initialize_schema()
            with self.transaction() as connection:
                if connection.execute(FIND).fetchone() is None:
                    connection.execute(CREATE)

    def open_database(self, **settings: Any) -> Database:
        return self.Versioned.from_dsn(self.dsn, **settings)
