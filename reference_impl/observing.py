"""The observer's verbs: statistics, workers, logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pytest_taskq.contract import Status

from . import checks
from .access import Access
from .models import TaskLog, Worker
from .schema import CANDIDATE, OTHER, WAITING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_taskq.contract import Connection, TaskId

# One statement, one snapshot; every task is in exactly one of these indexes, so that no payload is read.
_STATS = f"""
    SELECT 'queued', (SELECT count(*) FROM task_queue INDEXED BY reference_by_priority WHERE {CANDIDATE})
        + (SELECT count(*) FROM task_queue INDEXED BY reference_waiting WHERE {WAITING})
    UNION ALL
    SELECT 'leased', count(*) FROM task_queue INDEXED BY reference_leased WHERE status = 'leased'
    UNION ALL
    SELECT 'completed', count(*) FROM task_queue INDEXED BY reference_completed WHERE status = 'completed'
    UNION ALL
    SELECT ifnull(status, ''), count(*) FROM task_queue INDEXED BY reference_in_other_states
    WHERE {OTHER} GROUP BY ifnull(status, '')
"""
_STATS_WITHOUT_INDEXES = "SELECT ifnull(status, ''), count(*) FROM task_queue GROUP BY ifnull(status, '')"
_HEARTBEAT = """
    INSERT INTO workers (worker_id, capabilities, heartbeat_utc) VALUES (?, ?, datetime('now'))
    ON CONFLICT (worker_id) DO UPDATE SET capabilities = excluded.capabilities, heartbeat_utc = excluded.heartbeat_utc
"""
_LIVE = """
    SELECT worker_id, capabilities, heartbeat_utc FROM workers
    WHERE heartbeat_utc >= datetime('now', ?) ORDER BY worker_id
"""
_LOG = "INSERT INTO task_logs (task_id, level, message, details) VALUES (?, ?, ?, ?) RETURNING log_id"
_LOGS = "SELECT log_id, task_id, at_utc, level, message, details FROM task_logs WHERE task_id = ? ORDER BY log_id"


class Observing(Access):
    """What an observer does, and what workers leave for it."""

    _heartbeat_sql: ClassVar = _HEARTBEAT
    _live_sql: ClassVar = _LIVE
    _log_sql: ClassVar = _LOG
    _logs_sql: ClassVar = _LOGS

    def queue_stats(self) -> dict[str, int]:
        """Return the number of tasks per status, 0 where there are none; a status of no meaning has its own line."""
        with self._read() as connection:
            counted = {row[0]: row[1] for row in connection.execute(self._stats_sql(connection)).fetchall()}
        return {status.value: 0 for status in Status} | counted

    def _stats_sql(self, connection: Connection) -> str:
        return _STATS if self._is_extended(connection) else _STATS_WITHOUT_INDEXES

    def record_heartbeat(self, worker_id: str, capabilities: Mapping[str, Any]) -> None:
        """Say that the worker lives and what it is able to do."""
        row = (self._text("worker_id", worker_id), self._json_object("capabilities", capabilities))
        with self._write() as connection:
            connection.execute(self._heartbeat_sql, row)

    def live_workers(self, within_seconds: float) -> list[Worker]:
        """Return the workers whose last heartbeat is not older than that."""
        age = self._earlier(checks.seconds("within_seconds", within_seconds, zero=True))
        with self._read() as connection:
            return [Worker.from_dict(row) for row in connection.execute(self._live_sql, (age,)).fetchall()]

    def log(self, task_id: TaskId, level: str, message: str, details: object = None) -> int:
        """Write a line about a task and return its id; ``details`` is any JSON value. It goes when the task goes."""
        stored = None if details is None else checks.json_text("details", details)
        row = (checks.row_id(task_id), self._text("level", level), self._text("message", message), stored)
        with self._write() as connection:
            log_id: int = connection.execute(self._log_sql, row).fetchall()[0][0]
        return log_id

    def logs(self, task_id: TaskId) -> list[TaskLog]:
        """Return the lines about a task, oldest first."""
        with self._read() as connection:
            rows = connection.execute(self._logs_sql, (checks.row_id(task_id),)).fetchall()
        return [TaskLog.from_dict(row) for row in rows]
