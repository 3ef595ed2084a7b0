"""Every process makes the schema at its start; the second one finds it there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter
from pytest_taskq.reference_impl import QueueDatabase

if TYPE_CHECKING:
    from pytest_taskq import Database


class Broken(QueueAdapter):
    class Audited(QueueDatabase):
        def initialize_schema(self) -> None:
            super().initialize_schema()
            with self.transaction() as connection:
                connection.execute("CREATE TABLE audit (at_utc TEXT, what TEXT)")

    def open_database(self, **settings: Any) -> Database:
        return self.Audited.from_dsn(self.dsn, **settings)


class Corrected(QueueAdapter):
    class Audited(QueueDatabase):
        def initialize_schema(self) -> None:
            super().initialize_schema()
            with self.transaction() as connection:
                connection.execute("CREATE TABLE IF NOT EXISTS audit (at_utc TEXT, what TEXT)")

    def open_database(self, **settings: Any) -> Database:
        return self.Audited.from_dsn(self.dsn, **settings)
