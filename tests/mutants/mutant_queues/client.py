"""A client team's part: enqueue, batch, cancel and look, on the shared database object."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, ClassVar

from mutant_queues.registry import twin
from mutant_queues.times import WholeSeconds
from pytest_taskq import Promises, QueueAdapter
from pytest_taskq.reference_impl import Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_taskq.contract import Connection, TaskId


def text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, got {value!r}")
    if not value or "\0" in value:
        raise ValueError(f"{name} must not be empty or hold NUL, got {value!r}")
    value.encode()  # a lone surrogate raises UnicodeEncodeError, a ValueError
    return value


def number(name: str, value: Any, *, above: float | None = None) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number of seconds, got {value!r}")
    too_low = value < 0 if above is None else value <= above
    if not math.isfinite(value) or too_low or value > 10**10:
        raise ValueError(f"{name} is out of range: {value!r}")
    return value


def whole(name: str, value: Any, least: int = -(2**63)) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an int, got {value!r}")
    if not least <= value < 2**63:
        raise ValueError(f"{name} must be at least {least}, got {value!r}")
    return value


def same_after_json(value: Any) -> None:
    """Refuse what ``json.dumps`` would take and change."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise TypeError(f"payload has the key {key!r}, which is no str")
            same_after_json(inner)
    elif isinstance(value, list):
        for inner in value:
            same_after_json(inner)
    elif not (value is None or isinstance(value, str | int | float)):
        raise TypeError(f"payload holds {value!r}, which JSON cannot hold or would change")


@twin()
class Client(QueueAdapter):
    """Keys are remembered in a table of the team's own, so that no cleanup frees one."""

    times: ClassVar[WholeSeconds] = WholeSeconds()
    QUEUED: ClassVar[str] = "status = 'queued'"

    def enqueue(self, type: Any, payload: Any, **options: Any) -> TaskId:
        row = self.row(type=type, payload=payload, **options)
        with self.db.transaction() as connection:
            return self.store(connection, row)

    def enqueue_in(self, connection: Connection, type: Any, payload: Any, **options: Any) -> TaskId:
        return self.store(connection, self.row(type=type, payload=payload, **options))

    def enqueue_many(self, items: Iterable[Mapping[str, Any]]) -> list[TaskId]:
        rows = [self.row(**item) for item in items]
        with self.db.transaction() as connection:
            return [self.store(connection, row) for row in rows]

    def row(
        self,
        *,
        type: Any,
        payload: Any,
        priority: Any = 100,
        delay_seconds: Any = 0.0,
        max_attempts: Any = 5,
        idempotency_key: Any = None,
        compatibility: Any = None,
    ) -> dict[str, Any]:
        return {
            "type": text("type", type),
            "payload": self.encoded(payload),
            "priority": whole("priority", priority),
            "delay": self.times.later(number("delay_seconds", delay_seconds)),
            "max_attempts": whole("max_attempts", max_attempts, 1),
            "key": None if idempotency_key is None else text("idempotency_key", idempotency_key),
            "compatibility": self.encoded(dict(compatibility or {})),
        }

    def encoded(self, value: Any) -> str:
        same_after_json(value)
        return json.dumps(value, allow_nan=False)

    def store(self, connection: Connection, row: dict[str, Any]) -> TaskId:
        connection.execute("CREATE TABLE IF NOT EXISTS client_keys (key TEXT PRIMARY KEY, task_id INTEGER NOT NULL)")
        known = self.owner(connection, row["key"])
        if known is not None:
            return known
        inserted = connection.execute(
            "INSERT INTO task_queue (type, payload, priority, max_attempts, idempotency_key, compatibility, "
            "run_after_utc) VALUES (:type, :payload, :priority, :max_attempts, :key, :compatibility, "
            f"{self.times.shifted(':delay')}) RETURNING id",
            row,
        ).fetchone()[0]
        if row["key"] is not None:
            connection.execute("INSERT INTO client_keys VALUES (?, ?)", (row["key"], inserted))
        return inserted

    def owner(self, connection: Connection, key: str | None) -> TaskId | None:
        found = connection.execute(
            "SELECT id FROM task_queue WHERE idempotency_key = :key "
            "UNION ALL SELECT task_id FROM client_keys WHERE key = :key",
            {"key": key},
        ).fetchone()
        return None if found is None else found[0]

    def cancel_task(self, task_id: TaskId) -> bool:
        with self.db.transaction() as connection:
            changed = connection.execute(
                f"UPDATE task_queue SET status = 'cancelled', finished_at_utc = {self.times.now} "
                f"WHERE id = ? AND {self.QUEUED}",
                (task_id,),
            )
            return changed.rowcount == 1

    def get_task(self, task_id: TaskId) -> Task | None:
        with self.db.connection() as connection:
            row = connection.execute("SELECT * FROM task_queue WHERE id = ?", (task_id,)).fetchone()
        return None if row is None else Task.from_dict(row)


@twin()
class ClientUntilFinished(Client):
    """A finished task gives its key up to the next enqueue."""

    promises: ClassVar[Promises] = Promises(key_scope="until_finished")

    def owner(self, connection: Connection, key: str | None) -> TaskId | None:
        final = "status IN ('completed', 'failed', 'cancelled')"
        connection.execute(
            f"UPDATE task_queue SET idempotency_key = NULL WHERE idempotency_key = ? AND {final}", (key,)
        )
        connection.execute("DELETE FROM client_keys WHERE key = ?", (key,))
        found = connection.execute("SELECT id FROM task_queue WHERE idempotency_key = ?", (key,)).fetchone()
        return None if found is None else found[0]
