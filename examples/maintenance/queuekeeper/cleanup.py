"""Deletes completed tasks, a few at a time."""

from __future__ import annotations

import time
from math import ceil, isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_taskq.contract import Database

BATCH = 500  # rows in one transaction: nobody waits long for the lock
PAUSE = 0.001  # seconds between two batches: who waits polls the lock, and must find it free for a moment
LONGEST = 100 * 366 * 86_400

# Stored times are cut to the second, so the limit counts from the beginning of this second and is rounded up.
LIMIT = "SELECT datetime(datetime('now'), ?, '+0.999 seconds')"
DELETE = """
    DELETE FROM task_queue WHERE id IN (
        SELECT id FROM task_queue WHERE status = 'completed' AND finished_at_utc < ? LIMIT ?
    )
"""


def delete_completed(db: Database, older_than_seconds: float) -> int:
    """Delete the tasks completed longer ago than that, with their logs, and return how many.

    The limit is fixed at the beginning, so the work ends even while others complete tasks all the time.
    """
    age = f"-{ceil(round(_checked(older_than_seconds) * 1000, 6)) / 1000:.3f} seconds"
    with db.connection() as connection:
        limit = connection.execute(LIMIT, (age,)).fetchone()[0]
    deleted = batch = _delete_batch(db, limit)
    while batch == BATCH:
        time.sleep(PAUSE)
        batch = _delete_batch(db, limit)
        deleted += batch
    return deleted


def _delete_batch(db: Database, limit: str) -> int:
    with db.transaction() as tx:
        return tx.execute(DELETE, (limit, BATCH)).rowcount


def _checked(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"older_than_seconds must be a number, got {value!r:.100}")
    if not 0 <= value <= LONGEST or not isfinite(value):
        raise ValueError(f"older_than_seconds must lie between 0 and {LONGEST}, got {value!r:.100}")
    return value
