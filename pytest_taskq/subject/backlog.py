"""Many rows at once, as a team would insert them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pytest_taskq.contract import TaskId
    from pytest_taskq.subject.queue import QueueUnderTest
    from pytest_taskq.subject.store import PlainSql

# Literals of INSERT ... SELECT take the types of the columns on PostgreSQL too.
_INSERT = """
INSERT INTO task_queue ({names})
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
SELECT {values} FROM n RETURNING id
"""
_YEAR, _NOW = timedelta(days=365), timedelta()


def fill(
    queue: QueueUnderTest, status: str, count: int, *, delay: timedelta = _NOW, ago: timedelta = _NOW
) -> Sequence[TaskId]:
    """Insert ``count`` rows by plain SQL and return their ids.

    Queued ones are due after ``delay``, leased ones held for a year, finished ones ended ``ago``.
    """
    ids = insert_rows(queue.plain, status, count, queue.now(), delay=delay, ago=ago)
    if count:
        queue.transcript.note(f"{count} {status} rows by plain SQL" + (f", due in {delay.days} days" if delay else ""))
    return ids


def insert_rows(
    plain: PlainSql, status: str, count: int, now: datetime, *, delay: timedelta = _NOW, ago: timedelta = _NOW
) -> Sequence[TaskId]:
    """Insert the rows of ``fill`` on a connection of the caller's, in the caller's time."""
    if not count:
        return []
    columns = {"type": "job", "payload": "{}", "status": status, **_state(status, now, delay, ago)}
    statement = _INSERT.format(names=", ".join(columns), values=", ".join("?" * len(columns)), count=count)
    return [row[0] for row in plain.run(statement, tuple(columns.values()))]


def _state(status: str, now: datetime, delay: timedelta, ago: timedelta) -> dict[str, object]:
    if status == "queued":
        return {"run_after_utc": _text(now + delay)}
    if status == "leased":
        times = {"reserved_at_utc": _text(now), "lease_until_utc": _text(now + _YEAR)}
        return {"locked_by": "w0", "attempts": 1, "run_after_utc": _text(now), **times}
    return {"attempts": 1, "run_after_utc": _text(now), "finished_at_utc": _text(now - ago)}


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")
