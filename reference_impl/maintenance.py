"""The maintenance verbs: take back what dead workers hold, delete what is finished."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from . import checks
from .access import Access

if TYPE_CHECKING:
    from pytest_taskq.contract import Connection

BATCH = 500  # rows per transaction: some milliseconds, which nobody notices waiting for
PAUSE = 0.001  # between batches, seconds: who waits for the lock polls it, and an unlocked instant is not seen

_OVER = "status = 'leased' AND lease_until_utc <= datetime('now')"
_REQUEUE = f"""
    UPDATE task_queue
    SET status = 'queued', ready = 1, run_after_utc = min(run_after_utc, datetime('now')),
        updated_at_utc = datetime('now'), reserved_at_utc = NULL, lease_until_utc = NULL, locked_by = NULL
    WHERE {_OVER} AND ifnull(attempts, 0) < ifnull(max_attempts, 5)
"""
_GIVE_UP = f"""
    UPDATE task_queue
    SET status = 'failed', ready = 0, finished_at_utc = datetime('now'),
        error_message = ifnull(error_message, 'lease of ' || ifnull(locked_by, 'nobody')
            || ' was over at ' || lease_until_utc || ' in the last attempt'),
        updated_at_utc = datetime('now'), reserved_at_utc = NULL, lease_until_utc = NULL, locked_by = NULL
    WHERE {_OVER} AND ifnull(attempts, 0) >= ifnull(max_attempts, 5)
"""
# Stored times are cut to the second, so the limit counts from the second that now lies in: never early.
_LIMIT = "SELECT datetime(datetime('now'), ?, '+0.999 seconds')"
_DELETE = """
    DELETE FROM task_queue WHERE id IN (
        SELECT id FROM task_queue WHERE status = 'completed' AND finished_at_utc < ? LIMIT ?
    )
"""


class Maintenance(Access):
    """What a cleaner does."""

    _limit_sql: ClassVar = _LIMIT
    _delete_sql: ClassVar = _DELETE

    def reclaim_expired(self) -> int:
        """Take back every task whose lease is over, to be claimed again or failed; return how many."""
        with self._write() as connection:
            return self._take_back(connection)

    def delete_finished(self, older_than_seconds: float) -> int:
        """Delete the completed tasks that finished longer ago than that, with their logs; return how many."""
        age = self._earlier(checks.seconds("older_than_seconds", older_than_seconds, zero=True))
        with self._read() as connection:
            limit = connection.execute(self._limit_sql, (age,)).fetchone()[0]
        deleted = batch = self._delete_batch(limit)
        while batch == BATCH:
            time.sleep(PAUSE)
            batch = self._delete_batch(limit)
            deleted += batch
        return deleted

    def _take_back(self, connection: Connection) -> int:
        return take_back(connection)

    def _delete_batch(self, limit: object) -> int:
        with self._write() as connection:
            return connection.execute(self._delete_sql, (limit, BATCH)).rowcount


def take_back(connection: Connection) -> int:
    """End every lease that is over, inside the caller's transaction; return how many there were."""
    return connection.execute(_REQUEUE).rowcount + connection.execute(_GIVE_UP).rowcount
