"""The maintenance SQL: take back what dead workers hold, delete what is finished."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pytest_taskq.reference_impl.maintenance import Maintenance

from .access import PostgresAccess

if TYPE_CHECKING:
    from pytest_taskq.contract import Connection

BATCH = 5_000  # leases ended per transaction


class PostgresMaintenance(PostgresAccess, Maintenance):
    """What a cleaner does."""

    _limit_sql: ClassVar = "SELECT now() - %s * interval '1 microsecond'"
    _delete_sql: ClassVar = """
        DELETE FROM task_queue WHERE id = ANY (ARRAY(
            SELECT id FROM task_queue WHERE status = 'completed' AND finished_at_utc < %s
            ORDER BY finished_at_utc LIMIT %s FOR UPDATE SKIP LOCKED
        ))
    """

    def _take_back(self, connection: Connection) -> int:
        taken = batch = _taken(connection)
        while batch == BATCH:
            batch = _taken(connection)
            taken += batch
        return taken


def _taken(connection: Connection) -> int:
    taken: int = connection.execute("SELECT reference_take_back(%s)", (BATCH,)).fetchone()[0]
    return taken
