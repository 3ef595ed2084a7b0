"""Enqueue, cancel, look: plain SQL on the shared table ``task_queue``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq.reference_impl import Task
from shopqueue.order import INTEGERS, Order

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_taskq.contract import Connection, Database

# A key is good for one task, for ever. The unique index keeps the keys of the tasks that are there; a deleted task
# leaves its key in reference_retired_keys (a trigger of the shared database sees to it, whoever deletes).
INSERT = """
    INSERT INTO task_queue (type, payload, priority, max_attempts, compatibility, idempotency_key, run_after_utc)
    SELECT :type, :payload, :priority, :max_attempts, :compatibility, :key, datetime('now', :delay)
    WHERE NOT EXISTS (SELECT 1 FROM reference_retired_keys WHERE idempotency_key = :key)
    ON CONFLICT DO NOTHING
    RETURNING id
"""
FIRST_WITH_KEY = """
    SELECT id FROM task_queue WHERE idempotency_key = :key
    UNION ALL
    SELECT task_id FROM reference_retired_keys WHERE idempotency_key = :key
"""
CANCEL = """
    UPDATE task_queue SET status = 'cancelled', finished_at_utc = datetime('now'), updated_at_utc = datetime('now')
    WHERE id = ? AND status = 'queued'
"""
GET = """
    SELECT id, type, priority, payload, compatibility, status, attempts, max_attempts, run_after_utc, reserved_at_utc,
        lease_until_utc, locked_by, processing_started_utc, finished_at_utc, error_message, idempotency_key,
        created_at_utc, updated_at_utc
    FROM task_queue WHERE id = ?
"""


def enqueue(db: Database, order: Order) -> int:
    """Store the task and return its id; if its key was used before, the id of the key's first task."""
    row = order.row()  # before the transaction: who orders nonsense takes no lock
    with db.transaction() as tx:
        return _insert(tx, row)


def enqueue_within(tx: Connection, order: Order) -> int:
    """Store the task in the caller's transaction: it is there when the caller commits, and not if he rolls back."""
    return _insert(tx, order.row())


def enqueue_all(db: Database, orders: Iterable[Order]) -> list[int]:
    """Store all tasks or none; the ids come in the order given."""
    rows = [order.row() for order in orders]
    if not rows:
        return []
    with db.transaction() as tx:
        return [_insert(tx, row) for row in rows]


def cancel(db: Database, task_id: object) -> bool:
    """Take the task out of the queue; True if it was still queued, so that now it never runs."""
    if not _may_be_id(task_id):
        return False
    with db.transaction() as tx:
        return tx.execute(CANCEL, (task_id,)).rowcount == 1


def get(db: Database, task_id: object) -> Task | None:
    """The task as it is now, None if there is none with this id."""
    if not _may_be_id(task_id):
        return None
    with db.connection() as connection:
        row = connection.execute(GET, (task_id,)).fetchone()
    return None if row is None else Task.from_dict(row)


def _insert(tx: Connection, row: dict[str, str | int | None]) -> int:
    found = tx.execute(INSERT, row).fetchall() or tx.execute(FIRST_WITH_KEY, row).fetchall()
    task_id: int = found[0][0]
    return task_id


def _may_be_id(task_id: object) -> bool:
    return isinstance(task_id, int) and task_id in INTEGERS
