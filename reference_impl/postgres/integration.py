"""What the look at a worker asks of PostgreSQL."""

from __future__ import annotations

from pytest_taskq.reference_impl.integration import Questions

QUESTIONS = Questions(
    place="""
        SELECT concat_ws('/', coalesce(host(inet_server_addr()), 'local') || ':' || current_setting('port'),
            current_database(), current_schema())
    """,
    worker="""
        SELECT capabilities, coalesce(heartbeat_utc <= now() + interval '1 second', false) AS sane
        FROM workers WHERE worker_id = %s
    """,
    inconsistent="""
        SELECT id, status FROM task_queue WHERE locked_by = %s AND (
            status IS DISTINCT FROM 'leased' OR lease_until_utc IS NULL OR reserved_at_utc IS NULL
            OR coalesce(attempts, 0) < 1
        ) ORDER BY id LIMIT 20
    """,
)
