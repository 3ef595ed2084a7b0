"""The client's verbs: enqueue, cancel, look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pytest_taskq.contract import Task
from pytest_taskq.contract.task import COLUMNS

from . import checks
from .access import Access
from .errors import QueueDatabaseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_taskq.contract import Connection, TaskId

    Row = dict[str, str | float | None]

_INSERT = """
    INSERT INTO task_queue (type, payload, priority, max_attempts, compatibility, run_after_utc)
    VALUES (?, ?, ?, ?, ?, datetime('now', ?))
"""
# A key that was ever used makes this a no-op: a live task keeps it in the unique index, a deleted one left it behind.
_INSERT_WITH_KEY = """
    INSERT INTO task_queue (type, payload, priority, max_attempts, compatibility, idempotency_key, run_after_utc)
    SELECT :type, :payload, :priority, :max_attempts, :compatibility, :key, datetime('now', :delay)
    WHERE NOT EXISTS (SELECT 1 FROM reference_retired_keys WHERE idempotency_key = :key)
    ON CONFLICT DO NOTHING
"""
_INSERTED = "SELECT last_insert_rowid()"  # RETURNING copies the row first, and takes as long as two indexes
_OWNER_OF_KEY = """
    SELECT id FROM task_queue WHERE idempotency_key = :key
    UNION ALL
    SELECT task_id FROM reference_retired_keys WHERE idempotency_key = :key
"""
_IGNORED = "the task was not stored: a trigger on task_queue ignored the row, so there is no id; look at its triggers"
_CANCEL = """
    UPDATE task_queue
    SET status = 'cancelled', finished_at_utc = datetime('now'), updated_at_utc = datetime('now'),
        reserved_at_utc = NULL, lease_until_utc = NULL, locked_by = NULL
    WHERE id = ? AND status = 'queued'
"""
_GET = "SELECT " + ", ".join(COLUMNS) + " FROM task_queue WHERE id = ?"


_ARGUMENTS = frozenset(
    ("type", "payload", "priority", "delay_seconds", "max_attempts", "idempotency_key", "compatibility")
)


class Enqueueing(Access):
    """What a client does."""

    _cancel_sql: ClassVar = _CANCEL
    _get_sql: ClassVar = _GET

    def enqueue(
        self,
        type: str,  # noqa: A002 - the contract's name
        payload: Any,  # noqa: ANN401 - any JSON value
        *,
        priority: int = 100,
        delay_seconds: float = 0.0,
        max_attempts: int = 5,
        idempotency_key: str | None = None,
        compatibility: Mapping[str, Any] | None = None,
    ) -> int:
        """Store a new task and return its id; with a key that was used before, the id of the key's first task.

        ``payload`` is any JSON value with text keys. Raises TypeError or ValueError, with nothing stored, if an
        argument has no meaning.
        """
        row = self._checked_row(
            type=type,
            payload=payload,
            priority=priority,
            delay_seconds=delay_seconds,
            max_attempts=max_attempts,
            idempotency_key=idempotency_key,
            compatibility=compatibility,
        )
        return self._store(row)

    def enqueue_in(self, connection: Connection, type: str, payload: Any, **options: Any) -> int:  # noqa: A002, ANN401 - as enqueue
        """Store a new task inside the caller's transaction, which stays open; options are those of ``enqueue``."""
        row = self._row_of({"type": type, "payload": payload, **options})
        self._extend(connection)
        return self._insert(connection, row)

    def enqueue_many(self, items: Iterable[Mapping[str, Any]]) -> list[TaskId]:
        """Store all items or none; each holds the arguments of one ``enqueue``. Ids come in the order of the items."""
        rows = [self._row_of(checks.mapping(f"item {index}", item)) for index, item in enumerate(items)]
        if not rows:
            return []
        with self._write() as connection:
            return self._insert_many(connection, rows)

    def cancel_task(self, task_id: TaskId) -> bool:
        """Take a queued task out of the queue; True if it was queued and now never runs."""
        return self._changes_one(self._cancel_sql, (checks.row_id(task_id),))

    def get_task(self, task_id: TaskId) -> Task | None:
        """Return the task as it is, None for an unknown id."""
        with self._read() as connection:
            row = connection.execute(self._get_sql, (checks.row_id(task_id),)).fetchone()
        return None if row is None else Task.from_dict(row)

    def _checked_row(
        self,
        *,
        type: object,  # noqa: A002 - the contract's name
        payload: object,
        priority: object = 100,
        delay_seconds: object = 0.0,
        max_attempts: object = 5,
        idempotency_key: object = None,
        compatibility: object = None,
    ) -> Row:
        """Return the parameters of the INSERT; the names of this function's are those of ``enqueue``."""
        delay = checks.seconds("delay_seconds", delay_seconds, zero=True)
        return {
            "type": self._text("type", type),
            "payload": checks.json_text("payload", payload),
            "priority": checks.integer("priority", priority),
            "max_attempts": checks.integer("max_attempts", max_attempts, least=1),
            "compatibility": self._json_object("compatibility", compatibility),
            "delay": self._later(delay),
            "key": None if idempotency_key is None else self._text("idempotency_key", idempotency_key),
        }

    def _row_of(self, arguments: Mapping[str, Any]) -> Row:
        unknown = set(arguments) - _ARGUMENTS
        missing = {"type", "payload"} - set(arguments)
        if unknown or missing:
            raise TypeError(
                f"a task takes type, payload and the options of enqueue, got unknown {sorted(map(str, unknown))}, "
                f"missing {sorted(missing)}; it knows {', '.join(sorted(_ARGUMENTS))}"
            )
        return self._checked_row(**arguments)

    def _store(self, row: Row) -> int:
        if self._alone is not None and row["key"] is None:
            stored = self._alone(_INSERT, _without_key(row))
            if stored.rowcount == 1:
                return stored.lastrowid  # type: ignore[attr-defined,no-any-return] # of sqlite3
            raise QueueDatabaseError(_IGNORED)
        with self._write() as connection:
            return self._insert(connection, row)

    def _insert(self, connection: Connection, row: Row) -> int:
        if row["key"] is None:
            found = connection.execute(_INSERT, _without_key(row))
        else:
            found = connection.execute(_INSERT_WITH_KEY, row)
        found = connection.execute(_INSERTED) if found.rowcount == 1 else connection.execute(_OWNER_OF_KEY, row)
        rows = found.fetchall()
        if not rows:
            raise QueueDatabaseError(_IGNORED)
        task_id: int = rows[0][0]
        return task_id

    def _insert_many(self, connection: Connection, rows: list[Row]) -> list[TaskId]:
        return [self._insert(connection, row) for row in rows]


def _without_key(row: Row) -> tuple[str | float | None, ...]:
    """Return the parameters by place: SQLite's driver looks up each name once more for every call."""
    return tuple(row.values())[:-1]
