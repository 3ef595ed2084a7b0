"""The maintenance SQL: take back what dead workers hold, delete what is finished."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pytest_taskq.reference_impl.maintenance import Maintenance

from .access import PostgresAccess

if TYPE_CHECKING:
    from pytest_taskq.contract import Connection


class PostgresMaintenance(PostgresAccess, Maintenance):
    """What a cleaner does."""

    _limit_sql: ClassVar = "SELECT now() - %s * interval '1 microsecond'"
    _delete_sql: ClassVar = """
        DELETE FROM task_queue WHERE id = ANY (ARRAY(
            SELECT id FROM task_queue WHERE status = 'completed' AND finished_at_utc < %s
            ORDER BY finished_at_utc LIMIT %s FOR UPDATE SKIP LOCKED
        ))
    """

    _reclaimed_at_once: ClassVar = 5_000

    def _take_back(self, connection: Connection) -> int:
        taken: int = connection.execute("SELECT reference_take_back(%s)", (self._reclaimed_at_once,)).fetchone()[0]
        return taken
