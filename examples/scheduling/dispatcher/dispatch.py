"""Claims by strategy: plain SQL on the shared table ``task_queue``."""

from __future__ import annotations

import sqlite3
from math import ceil, isfinite
from typing import TYPE_CHECKING, Any

from dispatcher.ability import is_able
from pytest_taskq.reference_impl import SchedulingStrategy, Task

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_taskq.contract import Connection, Database

STRATEGIES = frozenset({SchedulingStrategy.FIFO, SchedulingStrategy.LIFO, SchedulingStrategy.PRIORITY})
LONGEST_LEASE = 10 * 366 * 86_400  # ten years; datetime() turns NULL past the year 9999

# In our queue age counts from when a task became due (fifo_key="run_after"). So whoever is not due yet lies behind all
# who are, in both indexes, and a claim never walks over delayed tasks to find one that is due.
BY_AGE = """
    CREATE INDEX IF NOT EXISTS dispatcher_by_age ON task_queue (run_after_utc, id) WHERE status = 'queued'
"""
BY_URGENCY = """
    CREATE INDEX IF NOT EXISTS dispatcher_by_urgency ON task_queue (priority, run_after_utc, id)
    WHERE status = 'queued'
"""
CLAIMABLE = """
    status = 'queued' AND run_after_utc <= datetime('now') AND ifnull(attempts, 0) < ifnull(max_attempts, 5)
"""
# The compatibility comes as bytes: of text that is not UTF-8 the driver would raise, and one row would stop all claims.
CANDIDATES = f"SELECT id, CAST(compatibility AS BLOB) AS compatibility FROM task_queue WHERE {CLAIMABLE}"
OLDEST_FIRST = f"{CANDIDATES} ORDER BY run_after_utc, id"
NEWEST_FIRST = f"{CANDIDATES} ORDER BY run_after_utc DESC, id DESC"
MOST_URGENT_FIRST = f"{CANDIDATES} ORDER BY priority DESC, run_after_utc, id"
# The first of each priority, and of those the most urgent: one look into the index per priority that is in use, however
# many tasks there are.
MOST_URGENT = f"""
    WITH RECURSIVE used(priority) AS (
        SELECT max(priority) FROM task_queue WHERE status = 'queued'
        UNION ALL
        SELECT (SELECT max(priority) FROM task_queue WHERE status = 'queued' AND priority < used.priority)
        FROM used WHERE used.priority IS NOT NULL
    )
    SELECT task.id, CAST(task.compatibility AS BLOB) AS compatibility
    FROM used JOIN task_queue AS task ON task.id = (
        SELECT id FROM task_queue WHERE {CLAIMABLE} AND priority = used.priority ORDER BY run_after_utc, id LIMIT 1
    )
    ORDER BY task.priority DESC LIMIT 1
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


class Dispatcher:
    """Claims on one database; ``install`` it once before the first claim."""

    def __init__(self, db: Database) -> None:
        self.db = db

    def install(self) -> Dispatcher:
        """Add our indexes to the shared table if they are not there; returns the dispatcher."""
        with self.db.transaction() as tx:
            tx.execute(BY_AGE)
            tx.execute(BY_URGENCY)
        return self

    def claim(
        self, strategy: SchedulingStrategy | str, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        """Lease the first task under ``strategy`` that the worker is able to do, None if there is none."""
        lease = {"worker": _checked_worker(worker_id), "lease": _deadline(lease_seconds)}
        statements = _statements(strategy)
        with self.db.transaction() as tx:
            able = (id_ for id_, needs in _candidates(tx, statements) if is_able(capabilities, needs))
            chosen = next((id_ for id_ in able if _is_readable(tx, id_)), None)
            return None if chosen is None else Task.from_dict(tx.execute(LEASE, {"id": chosen, **lease}).fetchone())


def _statements(strategy: SchedulingStrategy | str) -> tuple[str, ...]:
    """Return the statements whose rows, one after the other, are the candidates in order.

    Sorting by priority reads every task that is due. So the most urgent one is looked up first, and the rest is
    sorted only for a worker that is not able to do it.
    """
    known = {
        SchedulingStrategy.FIFO: (OLDEST_FIRST,),
        SchedulingStrategy.LIFO: (NEWEST_FIRST,),
        SchedulingStrategy.PRIORITY: (MOST_URGENT, MOST_URGENT_FIRST),
    }
    try:
        return known[SchedulingStrategy(strategy)]
    except (ValueError, KeyError):
        names = ", ".join(known)
        raise ValueError(f"unknown strategy {strategy!r:.100}; the dispatcher knows {names}") from None


def _candidates(tx: Connection, statements: tuple[str, ...]) -> Iterator[tuple[int, bytes | None]]:
    for statement in statements:
        for row in tx.execute(statement):
            yield row["id"], row["compatibility"]


def _is_readable(tx: Connection, task_id: int) -> bool:
    """Whether the driver can decode all texts of the row; one that it cannot must not stop those behind it."""
    try:
        tx.execute(ROW, (task_id,)).fetchone()
    except sqlite3.OperationalError as error:
        if "decode" not in str(error):
            raise
        return False
    return True


def _checked_worker(worker_id: object) -> str:
    if not isinstance(worker_id, str):
        raise TypeError(f"worker_id must be a text, got {worker_id!r:.100}")
    if not worker_id:
        raise ValueError("worker_id must not be empty")
    return worker_id


def _deadline(lease_seconds: object) -> str:
    """Return the modifier that gives the first whole second not before the end of the lease."""
    if not isinstance(lease_seconds, int | float) or isinstance(lease_seconds, bool):
        raise TypeError(f"lease_seconds must be a number, got {lease_seconds!r:.100}")
    if not 0 < lease_seconds <= LONGEST_LEASE or not isfinite(lease_seconds):
        raise ValueError(f"lease_seconds must be more than 0 and at most {LONGEST_LEASE}, got {lease_seconds!r:.100}")
    # Stored times are cut to the second: without the 999 ms a lease of 1 s, begun at .900, would last 100 ms.
    return f"+{(ceil(round(lease_seconds * 1000, 6)) + 999) / 1000:.3f} seconds"
