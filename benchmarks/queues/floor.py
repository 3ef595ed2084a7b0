"""What SQLite itself costs: bare transactions, prepared statements, one connection, nothing checked.

The floor changes the same columns of the same row as the reference does, in the reference's own table with all of its
indexes and triggers. It does not look for the row: it knows the ids that it inserted, and reads the one it leases.
"""

from __future__ import annotations

import json
import sqlite3
from collections import deque
from typing import ClassVar

from pytest_taskq.reference_impl import QueueDatabase

from .candidate import LEVELS, PAYLOAD, TYPE, WORKER

_INSERT = """
    INSERT INTO task_queue (type, payload, priority, max_attempts, compatibility, run_after_utc)
    VALUES (?, ?, 100, 5, '{}', datetime('now'))
"""
_READ = "SELECT type, payload FROM task_queue WHERE id = ?"
_LEASE = """
    UPDATE task_queue
    SET status = 'leased', attempts = attempts + 1, locked_by = ?, ready = NULL, room = NULL,
        reserved_at_utc = datetime('now'), lease_until_utc = datetime('now', '+60 seconds'),
        processing_started_utc = datetime('now'), updated_at_utc = datetime('now')
    WHERE id = ?
"""
_COMPLETE = """
    UPDATE task_queue
    SET status = 'completed', finished_at_utc = datetime('now'), updated_at_utc = datetime('now'),
        reserved_at_utc = NULL, lease_until_utc = NULL, locked_by = NULL
    WHERE id = ?
"""
_BARE_TABLE = """
    CREATE TABLE IF NOT EXISTS task (
        id INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL, priority INTEGER NOT NULL, payload TEXT NOT NULL,
        status TEXT NOT NULL, attempts INTEGER NOT NULL, run_after_utc TEXT NOT NULL, lease_until_utc TEXT,
        locked_by TEXT, finished_at_utc TEXT)
"""
_BARE_INDEX = "CREATE INDEX IF NOT EXISTS task_next ON task (status, priority, id)"
_BARE_INSERT = """
    INSERT INTO task (type, priority, payload, status, attempts, run_after_utc)
    VALUES (?, 100, ?, 'queued', 0, datetime('now'))
"""
_BARE_CLAIM = """
    UPDATE task
    SET status = 'leased', attempts = attempts + 1, locked_by = ?, lease_until_utc = datetime('now', '+60 seconds')
    WHERE id = (SELECT id FROM task WHERE status = 'queued' AND run_after_utc <= datetime('now')
                ORDER BY priority, id LIMIT 1)
    RETURNING id, type, payload
"""
_BARE_COMPLETE = (
    "UPDATE task SET status = 'completed', finished_at_utc = datetime('now') WHERE id = ? AND locked_by = ?"
)


class _Bare:
    """A connection and its transactions."""

    records_completion: ClassVar[bool] = True

    def __init__(self, path: str, synchronous: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=30)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute(f"PRAGMA synchronous = {synchronous}")

    def in_force(self) -> str:
        return LEVELS[self._connection.execute("PRAGMA synchronous").fetchone()[0]]

    def close(self) -> None:
        self._connection.close()

    def _write(self, statement: str, parameters: tuple[object, ...]) -> sqlite3.Cursor:
        self._connection.execute("BEGIN IMMEDIATE")
        cursor = self._connection.execute(statement, parameters)
        self._connection.execute("COMMIT")
        return cursor


class Floor(_Bare):
    """The reference's row changes on the reference's table, and nothing else."""

    name: ClassVar[str] = "floor"

    def __init__(self, path: str, synchronous: str, *, initialize: bool = True) -> None:
        if initialize:
            db = QueueDatabase(path)
            db.initialize_schema()
            db.close()
        super().__init__(path, synchronous)
        self._ids: deque[int] = deque()
        self._payload = json.dumps(PAYLOAD)

    def enqueue(self) -> None:
        self._ids.append(self._write(_INSERT, (TYPE, self._payload)).lastrowid or 0)

    def claim(self) -> int | None:
        if not self._ids:
            return None
        task_id = self._ids.popleft()
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        execute(_READ, (task_id,)).fetchone()
        execute(_LEASE, (WORKER, task_id))
        execute("COMMIT")
        return task_id

    def complete(self, claimed: int) -> None:
        self._write(_COMPLETE, (claimed,))

    def identity(self, claimed: int) -> int:
        return claimed


class BareTable(_Bare):
    """The least that could be called a queue: one table with one index, and three statements."""

    name: ClassVar[str] = "bare table, one index"

    def __init__(self, path: str, synchronous: str) -> None:
        super().__init__(path, synchronous)
        self._connection.execute(_BARE_TABLE)
        self._connection.execute(_BARE_INDEX)
        self._payload = json.dumps(PAYLOAD)

    def enqueue(self) -> None:
        self._write(_BARE_INSERT, (TYPE, self._payload))

    def claim(self) -> tuple[int, ...] | None:
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        row: tuple[int, ...] | None = execute(_BARE_CLAIM, (WORKER,)).fetchone()
        execute("COMMIT")
        return row

    def complete(self, claimed: tuple[int, ...]) -> None:
        self._write(_BARE_COMPLETE, (claimed[0], WORKER))

    def identity(self, claimed: tuple[int, ...]) -> int:
        return claimed[0]
