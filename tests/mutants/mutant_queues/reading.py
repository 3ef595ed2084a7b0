"""From a row to a task: two ways that show what is stored, and others that show something else (INF-05)."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any, ClassVar

from mutant_queues.infrastructure import EachUse, Infrastructure
from mutant_queues.registry import DIRECT, MODEL, breaks, twin
from pytest_taskq import QueueAdapter
from pytest_taskq.reference_impl import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class RowsOfItsOwn(EachUse):
    """A row factory that a derived class has as ``row``."""

    row: Callable[[sqlite3.Cursor, tuple[Any, ...]], Any]

    def open(self) -> sqlite3.Connection:
        connection = super().open()
        connection.row_factory = self.row
        return connection


@breaks("INF-05", DIRECT, "TypeError: tuple indices")
class RowsWithoutNames(Infrastructure):
    """Rows are tuples."""

    class Database(RowsOfItsOwn):
        @staticmethod
        def row(cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> Any:
            names = [column[0] for column in cursor.description]
            return sqlite3.Row(cursor, values) if len(names) > 2 else values


@breaks("INF-05", DIRECT, "(locked_by|finished_at_utc) is '' in the task, None in the row")
class NullsAreEmpty(Infrastructure):
    """A row factory that spares its users the NULLs."""

    class Database(RowsOfItsOwn):
        @staticmethod
        def row(cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> Any:
            return sqlite3.Row(cursor, tuple("" if value is None else value for value in values))


SHOWN = (
    "id, type, payload, priority, compatibility, status, attempts, max_attempts, run_after_utc, reserved_at_utc, "
    "lease_until_utc, locked_by, processing_started_utc, finished_at_utc, error_message, idempotency_key, "
    "created_at_utc, updated_at_utc"
)


@twin()
class Looks(QueueAdapter):
    """get_task with the columns named."""

    COLUMNS: ClassVar[str] = SHOWN

    def get_task(self, task_id: Any) -> Any:
        with self.db.connection() as connection:
            row = connection.execute(f"SELECT {self.COLUMNS} FROM task_queue WHERE id = ?", (task_id,)).fetchone()
        return None if row is None else self.task(dict(row))

    def task(self, row: dict[str, Any]) -> Any:
        return Task(**row)


@twin()
class Scrupulous(Looks):
    """A row that no enqueue would have written is an error that says so."""

    def task(self, row: dict[str, Any]) -> Any:
        try:
            json.loads(row["payload"]), json.loads(row["compatibility"] or "")
        except ValueError as error:
            raise RuntimeError(f"task {row['id']} holds what is not JSON: {error}") from error
        return Task(**row)


@breaks("INF-05", DIRECT, "unexpected keyword argument")
class KnowsEveryColumn(Looks):
    """A column that it does not know is an error of Python's."""

    COLUMNS = "*"


@breaks("INF-05", DIRECT, "priority is 100 in the task, (None|0) in the row")
@breaks("INF-05", MODEL, "priority None")
class FillsInDefaults(Looks):
    """``or 100`` turns NULL and 0 into the default."""

    def task(self, row: dict[str, Any]) -> Any:
        return Task(**{**row, "priority": row["priority"] or 100})


@breaks("INF-05", DIRECT, "compatibility is 'None' in the task")
class WritesNoneOut(Looks):
    """``str()`` around every text."""

    def task(self, row: dict[str, Any]) -> Any:
        return Task(**{**row, "compatibility": str(row["compatibility"])})


class Lenient(Task):
    """A task that never complains."""

    __slots__ = ()

    def get_payload_dict(self) -> Any:
        try:
            return super().get_payload_dict()
        except ValueError:
            return {}


@breaks("INF-05", DIRECT, r"get_payload_dict\(\) returns \{\}, stored is 'not JSON")
class DecodesToNothing(Looks):
    """``except ValueError: return {}``."""

    def task(self, row: dict[str, Any]) -> Any:
        return Lenient(**row)


class Truthy(Task):
    """A task that takes what is false for nothing."""

    __slots__ = ()

    def get_payload_dict(self) -> Any:
        return super().get_payload_dict() or {}


@breaks("INF-05", DIRECT, r"get_payload_dict\(\) returns \{\}, stored is 'null'")
class FalseIsNothing(Looks):
    """``json.loads(...) or {}``."""

    def task(self, row: dict[str, Any]) -> Any:
        return Truthy(**row)


@breaks("INF-05", DIRECT, "TypeError")
class AddsToNull(QueueAdapter):
    """A claim that computes with what it read and never thought of NULL."""

    def claim_task(self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float) -> Any:
        with self.db.connection() as connection:
            for row in connection.execute("SELECT attempts, max_attempts FROM task_queue WHERE status = 'queued'"):
                if row["attempts"] + 1 > row["max_attempts"]:
                    return None
        return self.reference.claim_task(worker_id, capabilities, lease_seconds)
