"""The floor and the reference on PostgreSQL; what sets the durability is in the DSN of the place."""

from __future__ import annotations

import json
from collections import deque
from typing import TYPE_CHECKING, ClassVar

from pytest_taskq.reference_impl import open_database, queue_on

from .candidate import PAYLOAD, TYPE, WORKER
from .reference import Reference

if TYPE_CHECKING:
    from pytest_taskq.reference_impl.postgres.database import PostgresDatabase

IN_FORCE = "SHOW synchronous_commit"
_INSERT = """
    INSERT INTO task_queue (type, payload, priority, max_attempts, compatibility, run_after_utc)
    VALUES (%s, %s, 100, 5, '{}', now()) RETURNING id
"""
_LEASE = """
    UPDATE task_queue
    SET status = 'leased', attempts = attempts + 1, locked_by = %s, reserved_at_utc = now(),
        lease_until_utc = now() + interval '60 seconds', processing_started_utc = now(), updated_at_utc = now()
    WHERE id = %s RETURNING type, payload
"""
_COMPLETE = """
    UPDATE task_queue
    SET status = 'completed', finished_at_utc = now(), updated_at_utc = now(),
        reserved_at_utc = NULL, lease_until_utc = NULL, locked_by = NULL
    WHERE id = %s
"""


class PostgresFloor:
    """The reference's row changes on the reference's table, each one prepared statement and one round trip."""

    name: ClassVar[str] = "floor"
    records_completion: ClassVar[bool] = True

    def __init__(self, place: str, synchronous: str) -> None:
        import psycopg

        del synchronous
        db = open_database(place)
        db.initialize_schema()
        db.close()
        self._connection = psycopg.connect(place, autocommit=True, prepare_threshold=0)
        self._ids: deque[int] = deque()
        self._payload = json.dumps(PAYLOAD)

    def in_force(self) -> str:
        return _one(self._connection.execute(IN_FORCE).fetchone())

    def enqueue(self) -> None:
        self._ids.append(int(_one(self._connection.execute(_INSERT, (TYPE, self._payload)).fetchone())))

    def claim(self) -> int | None:
        if not self._ids:
            return None
        task_id = self._ids.popleft()
        self._connection.execute(_LEASE, (WORKER, task_id)).fetchone()
        return task_id

    def complete(self, claimed: int) -> None:
        self._connection.execute(_COMPLETE, (claimed,))

    def identity(self, claimed: int) -> int:
        return claimed

    def close(self) -> None:
        self._connection.close()


def _one(row: tuple[object, ...] | None) -> str:
    return "" if row is None else str(row[0])


class PostgresReference(Reference):
    """The same calls as on SQLite, chosen by the DSN."""

    _db: PostgresDatabase

    def __init__(self, place: str, synchronous: str) -> None:
        del synchronous
        self._db = open_database(place, busy_timeout=30.0)  # type: ignore[assignment] # the DSN says which
        self._db.initialize_schema()
        self.queue = queue_on(self._db)

    def in_force(self) -> str:
        with self._db.connection() as connection:
            return _one(connection.execute(IN_FORCE).fetchone())
