"""Claim, complete, fail, renew: plain SQL on the shared table ``task_queue``."""

from __future__ import annotations

import random
import sqlite3
from typing import TYPE_CHECKING, Any

from millworker.ability import is_able
from millworker.moments import checked_lease, later
from pytest_taskq import Backoff
from pytest_taskq.reference_impl import Task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_taskq.contract import Connection, Database

BACKOFF = Backoff(initial=1.0, multiplier=2.0, maximum=300.0, jitter=0.1)
LONGEST_ERROR = 64 * 1024

# Serves the claim below: the due tasks lie together, in the order in which they are taken.
DUE_INDEX = """
    CREATE INDEX IF NOT EXISTS millworker_due ON task_queue (run_after_utc, id) WHERE status = 'queued'
"""
# The compatibility comes as bytes: of text that is not UTF-8 the driver would raise, and one row would stop all claims.
DUE = """
    SELECT id, CAST(compatibility AS BLOB) AS compatibility FROM task_queue
    WHERE status = 'queued' AND run_after_utc <= datetime('now') AND ifnull(attempts, 0) < ifnull(max_attempts, 5)
    ORDER BY run_after_utc, id
"""
COLUMNS = """
    id, type, priority, payload, compatibility, status, attempts, max_attempts, run_after_utc, reserved_at_utc,
    lease_until_utc, locked_by, processing_started_utc, error_message, idempotency_key, created_at_utc, updated_at_utc
"""
ROW = f"SELECT {COLUMNS} FROM task_queue WHERE id = ?"
LEASE = f"""
    UPDATE task_queue
    SET status = 'leased', locked_by = :worker, attempts = ifnull(attempts, 0) + 1,
        reserved_at_utc = datetime('now'), lease_until_utc = datetime('now', :lease),
        processing_started_utc = datetime('now'), updated_at_utc = datetime('now')
    WHERE id = :id
    RETURNING {COLUMNS}
"""
# The fence. The worker's name alone is not enough: a worker that lost the task and claimed it again has the same name,
# and only the attempt tells the old claim from the new one.
HELD = "id = :id AND status = 'leased' AND locked_by = :worker AND attempts = :attempt"
RELEASED = "locked_by = NULL, reserved_at_utc = NULL, lease_until_utc = NULL, updated_at_utc = datetime('now')"
COMPLETE = f"UPDATE task_queue SET status = 'completed', finished_at_utc = datetime('now'), {RELEASED} WHERE {HELD}"
RETRY = f"""
    UPDATE task_queue
    SET status = 'queued', error_message = :error, run_after_utc = datetime('now', :delay), {RELEASED}
    WHERE {HELD} AND attempts < ifnull(max_attempts, 5)
"""
GIVE_UP = f"""
    UPDATE task_queue SET status = 'failed', error_message = :error, finished_at_utc = datetime('now'), {RELEASED}
    WHERE {HELD}
"""
RENEW = f"""
    UPDATE task_queue SET lease_until_utc = datetime('now', :lease), updated_at_utc = datetime('now') WHERE {HELD}
"""


class Engine:
    """The mill's verbs on one database; ``install`` it once before the first claim."""

    def __init__(self, db: Database) -> None:
        self.db = db

    def install(self) -> Engine:
        """Add the mill's index to the shared table if it is not there; returns the engine."""
        with self.db.transaction() as tx:
            tx.execute(DUE_INDEX)
        return self

    def claim(self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float) -> Task | None:
        """Lease the task that has been due longest among those the worker is able to do."""
        return next(iter(self.claim_many(1, worker_id, capabilities, lease_seconds)), None)

    def claim_many(self, n: int, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float) -> list[Task]:
        """Lease up to ``n`` such tasks, longest due first."""
        if not isinstance(n, int) or n < 1:
            raise ValueError(f"n must be an integer from 1, got {n!r:.100}")
        lease = {"worker": _checked_worker(worker_id), "lease": later(checked_lease(lease_seconds))}
        with self.db.transaction() as tx:
            chosen = _choose(tx, n, capabilities)
            return [Task.from_dict(tx.execute(LEASE, {"id": id_, **lease}).fetchone()) for id_ in chosen]

    def complete(self, task: Task, worker_id: str) -> bool:
        """Finish the task; False if this claim of it was lost."""
        return self._change(COMPLETE, _holder(task, worker_id))

    def fail(self, task: Task, worker_id: str, error: str, *, retry: bool = True) -> bool:
        """Record the error, and retry after the backoff or give up; False if this claim of the task was lost."""
        delay = random.uniform(*BACKOFF.window(task.attempts or 1))  # noqa: S311 - not a secret
        row = {**_holder(task, worker_id), "error": _storable(error), "delay": later(delay)}
        with self.db.transaction() as tx:
            requeued = retry and tx.execute(RETRY, row).rowcount == 1
            return requeued or tx.execute(GIVE_UP, row).rowcount == 1

    def renew(self, task: Task, worker_id: str, lease_seconds: float) -> bool:
        """Move the deadline to ``lease_seconds`` from now; False if this claim of the task was lost."""
        return self._change(RENEW, {**_holder(task, worker_id), "lease": later(checked_lease(lease_seconds))})

    def _change(self, statement: str, row: dict[str, Any]) -> bool:
        with self.db.transaction() as tx:
            return tx.execute(statement, row).rowcount == 1


def _choose(tx: Connection, n: int, capabilities: Mapping[str, Any]) -> list[int]:
    """Walk along the due tasks until ``n`` suit the worker; the rest of the queue is not read."""
    chosen: list[int] = []
    for row in tx.execute(DUE):
        if is_able(capabilities, row["compatibility"]) and _is_readable(tx, row["id"]):
            chosen.append(row["id"])
            if len(chosen) == n:
                break
    return chosen


def _is_readable(tx: Connection, task_id: int) -> bool:
    """Whether the driver can decode all texts of the row; one that it cannot must not stop those behind it."""
    try:
        tx.execute(ROW, (task_id,)).fetchone()
    except sqlite3.OperationalError as error:
        if "decode" not in str(error):
            raise
        return False
    return True


def _holder(task: Task, worker_id: str) -> dict[str, Any]:
    return {"id": task.id, "attempt": task.attempts, "worker": worker_id}


def _checked_worker(worker_id: object) -> str:
    if not isinstance(worker_id, str):
        raise TypeError(f"worker_id must be a text, got {worker_id!r:.100}")
    if not worker_id:
        raise ValueError("worker_id must not be empty")
    return worker_id


def _storable(error: str) -> str:
    """Return the error cut to a length, and so that UTF-8 can hold it: a task must not stay leased over its error."""
    return error.encode(errors="backslashreplace")[:LONGEST_ERROR].decode(errors="ignore")
