"""The observer's SQL: statistics, workers, logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pytest_taskq.reference_impl.observing import Observing

from .access import PostgresAccess
from .columns import shown

if TYPE_CHECKING:
    from pytest_taskq.contract import Connection


class PostgresObserving(PostgresAccess, Observing):
    """What an observer does, and what workers leave for it."""

    _heartbeat_sql: ClassVar = """
        INSERT INTO workers (worker_id, capabilities, heartbeat_utc) VALUES (%s, %s, now())
        ON CONFLICT (worker_id) DO UPDATE
        SET capabilities = excluded.capabilities, heartbeat_utc = excluded.heartbeat_utc
    """
    _live_sql: ClassVar = f"""
        SELECT worker_id, capabilities, {shown("heartbeat_utc")} FROM workers
        WHERE workers.heartbeat_utc >= now() - %s * interval '1 microsecond' ORDER BY worker_id
    """
    _log_sql: ClassVar = (
        "INSERT INTO task_logs (task_id, level, message, details) VALUES (%s, %s, %s, %s) RETURNING log_id"
    )
    _logs_sql: ClassVar = f"""
        SELECT log_id, task_id, {shown("at_utc")}, level, message, details
        FROM task_logs WHERE task_id = %s ORDER BY log_id
    """

    def _stats_sql(self, connection: Connection) -> str:
        del connection
        return "SELECT coalesce(status, ''), count(*) FROM task_queue GROUP BY status"
