"""A team adds an index of its own beside the one that the others rely on, not in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter
from pytest_taskq.reference_impl import QueueDatabase

if TYPE_CHECKING:
    from pytest_taskq import Database

BY_TYPE = (
    "CREATE UNIQUE INDEX IF NOT EXISTS keys_of_a_type "
    "ON task_queue (type, idempotency_key) WHERE idempotency_key IS NOT NULL"
)


class Broken(QueueAdapter):
    class Migrated(QueueDatabase):
        def initialize_schema(self) -> None:
            super().initialize_schema()
            with self.transaction() as connection:
                connection.execute("DROP INDEX IF EXISTS task_queue_idempotency_key")
                connection.execute(BY_TYPE)

    def open_database(self, **settings: Any) -> Database:
        return self.Migrated.from_dsn(self.dsn, **settings)


class Corrected(QueueAdapter):
    class Migrated(QueueDatabase):
        def initialize_schema(self) -> None:
            super().initialize_schema()
            with self.transaction() as connection:
                connection.execute(BY_TYPE)

    def open_database(self, **settings: Any) -> Database:
        return self.Migrated.from_dsn(self.dsn, **settings)
