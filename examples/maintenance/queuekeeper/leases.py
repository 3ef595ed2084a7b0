"""Leases that are over: their tasks go back into the queue, or to the dead letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_taskq.contract import Database

OVER = "status = 'leased' AND lease_until_utc <= datetime('now')"
RELEASED = "locked_by = NULL, reserved_at_utc = NULL, lease_until_utc = NULL, updated_at_utc = datetime('now')"

# An assignment reads the row as it was before the statement, so the text still knows holder and deadline.
GIVE_UP = f"""
    UPDATE task_queue
    SET status = 'failed', finished_at_utc = datetime('now'), {RELEASED},
        error_message = ifnull(error_message, 'lost by ' || ifnull(locked_by, 'nobody') || ' in its last attempt')
    WHERE {OVER} AND ifnull(attempts, 0) >= ifnull(max_attempts, 5)
"""
# run_after_utc is in the past already and stays: the task keeps its place among those that wait.
REQUEUE = f"""
    UPDATE task_queue SET status = 'queued', run_after_utc = min(run_after_utc, datetime('now')), {RELEASED}
    WHERE {OVER}
"""


def take_back(db: Database) -> int:
    """End every lease that is over and return how many there were.

    The state is looked at in the UPDATE itself: a completion or renewal that came first leaves it nothing to match.
    """
    with db.transaction() as tx:
        return tx.execute(GIVE_UP).rowcount + tx.execute(REQUEUE).rowcount
