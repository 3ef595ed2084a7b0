"""The search ends at the first task that the worker can do; what waits behind is not read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter, Task
from pytest_taskq.reference_impl.ability import Ability

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_taskq import Database

FIND = (
    "SELECT *, CAST(compatibility AS BLOB) AS needs FROM task_queue "
    "WHERE status = 'queued' AND run_after_utc <= datetime('now') ORDER BY run_after_utc, id"
)
LEASE = (
    "UPDATE task_queue SET status = 'leased', attempts = attempts + 1, locked_by = ?, "
    "reserved_at_utc = datetime('now'), lease_until_utc = datetime('now', ?) "
    "WHERE id = ? RETURNING *"
)


def indexed(db: Database) -> Database:
    """Return the database with an index in the order of service."""
    db.initialize_schema()
    with db.transaction() as connection:
        connection.execute(
            "CREATE INDEX IF NOT EXISTS due ON task_queue (status, run_after_utc, id)"
        )
    return db


class Broken(QueueAdapter):
    def open_database(self, **settings: Any) -> Database:
        return indexed(super().open_database(**settings))

    def claim_task(
        self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        ability = Ability(capabilities)
        until = f"+{lease_seconds + 0.999} seconds"
        with self.db.transaction() as connection:
            rows = connection.execute(FIND).fetchall()
            able = [row["id"] for row in rows if ability.suits(row["needs"])]
            first = able[0] if able else None
            row = connection.execute(LEASE, (worker_id, until, first)).fetchone()
        return Task.from_dict(row) if row else None


class Corrected(QueueAdapter):
    def open_database(self, **settings: Any) -> Database:
        return indexed(super().open_database(**settings))

    def claim_task(
        self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        ability = Ability(capabilities)
        until = f"+{lease_seconds + 0.999} seconds"
        with self.db.transaction() as connection:
            rows = connection.execute(FIND)
            able = (row["id"] for row in rows if ability.suits(row["needs"]))
            first = next(able, None)
            row = connection.execute(LEASE, (worker_id, until, first)).fetchone()
        return Task.from_dict(row) if row else None
