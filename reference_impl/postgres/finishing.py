"""The engine's SQL for a task it holds: complete, fail, renew."""

from __future__ import annotations

from typing import ClassVar

from pytest_taskq.reference_impl.finishing import Finishing

from .access import PostgresAccess

_HELD = "id = %(id)s AND status = 'leased' AND locked_by = %(worker)s AND attempts = %(attempt)s"
_RELEASED = "updated_at_utc = now(), reserved_at_utc = NULL, lease_until_utc = NULL, locked_by = NULL"
_FROM_NOW = "now() + {} * interval '1 microsecond'"


class PostgresFinishing(PostgresAccess, Finishing):
    """What the holder of a task does. Each call returns True only if it took effect, and else changes nothing."""

    _complete_sql: ClassVar = f"""
        UPDATE task_queue SET status = 'completed', finished_at_utc = now(), {_RELEASED} WHERE {_HELD}
    """
    _retry_sql: ClassVar = f"""
        UPDATE task_queue
        SET status = 'queued', error_message = %(error)s, run_after_utc = {_FROM_NOW.format("%(delay)s")}, {_RELEASED}
        WHERE {_HELD} AND attempts < coalesce(max_attempts, 5)
    """
    _give_up_sql: ClassVar = f"""
        UPDATE task_queue
        SET status = 'failed', error_message = %(error)s, finished_at_utc = now(), {_RELEASED}
        WHERE {_HELD}
    """
    _renew_sql: ClassVar = f"""
        UPDATE task_queue SET lease_until_utc = {_FROM_NOW.format("%(lease)s")}, updated_at_utc = now() WHERE {_HELD}
    """
