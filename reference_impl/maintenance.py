"""The maintenance verbs: take back what dead workers hold, delete what is finished."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from . import checks
from .access import Access
from .schema import WAITING

if TYPE_CHECKING:
    from pytest_taskq.contract import Connection

BATCH = 250  # rows per transaction: about a millisecond, which nobody notices waiting for
PAUSE = 0.001  # between batches, seconds: who waits for the lock polls it, and an unlocked instant is not seen

_OVER = "status = 'leased' AND lease_until_utc <= datetime('now')"
_COME = f"{WAITING} AND ifnull(run_after_utc, '') <= datetime('now')"
IS_DUE = f"""
    SELECT EXISTS (SELECT 1 FROM task_queue INDEXED BY reference_leased WHERE {_OVER})
        OR EXISTS (SELECT 1 FROM task_queue INDEXED BY reference_waiting WHERE {_COME})
"""
_SOME_OVER = (
    f"SELECT id FROM task_queue INDEXED BY reference_leased WHERE {_OVER} ORDER BY lease_until_utc LIMIT {BATCH}"
)
_REQUEUE = f"""
    UPDATE task_queue
    SET status = 'queued', ready = 1, run_after_utc = min(run_after_utc, datetime('now')),
        updated_at_utc = datetime('now'), reserved_at_utc = NULL, lease_until_utc = NULL, locked_by = NULL
    WHERE id IN ({_SOME_OVER}) AND ifnull(attempts, 0) < ifnull(max_attempts, 5)
"""
_GIVE_UP = f"""
    UPDATE task_queue
    SET status = 'failed', finished_at_utc = datetime('now'),
        error_message = ifnull(error_message, 'lease of ' || ifnull(locked_by, 'nobody')
            || ' was over at ' || lease_until_utc || ' in the last attempt'),
        updated_at_utc = datetime('now'), reserved_at_utc = NULL, lease_until_utc = NULL, locked_by = NULL
    WHERE id IN ({_SOME_OVER}) AND ifnull(attempts, 0) >= ifnull(max_attempts, 5)
"""
_PROMOTE = f"""
    UPDATE task_queue SET ready = 1
    WHERE id IN (
        SELECT id FROM task_queue INDEXED BY reference_waiting
        WHERE {_COME} ORDER BY ifnull(run_after_utc, '') LIMIT {BATCH}
    )
"""
# Stored times are cut to the second, so the limit counts from the second that now lies in: never early.
_LIMIT = "SELECT datetime(datetime('now'), ?, '+0.999 seconds')"
_DELETE = """
    DELETE FROM task_queue WHERE id IN (
        SELECT id FROM task_queue INDEXED BY reference_completed
        WHERE status = 'completed' AND finished_at_utc < ? LIMIT ?
    )
"""


class Maintenance(Access):
    """What a cleaner does."""

    _limit_sql: ClassVar = _LIMIT
    _delete_sql: ClassVar = _DELETE
    _reclaimed_at_once: ClassVar = BATCH

    def reclaim_expired(self) -> int:
        """Take back every task whose lease is over, to be claimed again or failed; return how many."""
        taken = batch = self._take_back_batch()
        while batch >= self._reclaimed_at_once:
            time.sleep(PAUSE)
            batch = self._take_back_batch()
            taken += batch
        return taken

    def _take_back_batch(self) -> int:
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
        return _take_back(connection)

    def _delete_batch(self, limit: object) -> int:
        with self._write() as connection:
            return connection.execute(self._delete_sql, (limit, BATCH)).rowcount


def is_due(connection: Connection) -> bool:
    """Whether a lease is over or a task has come due, and nobody has noted it."""
    due: bool = connection.execute(IS_DUE).fetchone()[0]
    return due


def catch_up(connection: Connection) -> bool:
    """Note some of what is due, inside the caller's transaction; whether that was all."""
    taken = _take_back(connection)
    promoted: int = connection.execute(_PROMOTE).rowcount
    return taken < BATCH and promoted < BATCH


def _take_back(connection: Connection) -> int:
    """End some of the leases that are over; fewer than BATCH only if no other is."""
    requeued: int = connection.execute(_REQUEUE).rowcount
    given_up: int = connection.execute(_GIVE_UP).rowcount
    return requeued + given_up
