"""What can only be seen by writing, tried on a copy that is thrown away."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from pytest_taskq.contract import SchedulingStrategy
from pytest_taskq.contract.settings import PRAGMAS, pragma
from pytest_taskq.reference_impl import schema
from pytest_taskq.reference_impl.database import QueueDatabase
from pytest_taskq.reference_impl.errors import QueueBusyError, QueueDatabaseError, QueueSchemaError
from pytest_taskq.reference_impl.queue import Queue

from .report import Check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WORKER = "taskq-validate"
_LARGEST = 256 * 1024 * 1024  # bytes that are copied whole: a second or two, in one read of the database
_PLANNED = re.compile(r"\s*(SELECT|UPDATE|DELETE|INSERT|WITH)\b", re.IGNORECASE)


def copy_to(path: Path, connection: sqlite3.Connection) -> str:
    """Copy the database behind ``connection`` to ``path``, rows and all unless it is large; return what was copied."""
    pages, size = (connection.execute(f"PRAGMA {what}").fetchone()[0] for what in ("page_count", "page_size"))
    with closing(sqlite3.connect(path, isolation_level=None)) as copy:
        if pages * size <= _LARGEST:
            connection.backup(copy)  # https://sqlite.org/backup.html: a consistent image, writers go on
            return "on a scratch copy"
        for (statement,) in connection.execute(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type <> 'table'"
        ):
            copy.execute(statement)
        if schema.has_extras(copy):
            schema.add_extras(copy)  # the rows that the reference begins with
    return f"on a scratch copy of the schema alone ({pages * size // 2**20} MiB are too many to copy)"


def scratch_checks(path: Path, copied: str) -> Iterator[Check]:
    """Yield the checks INF-04, INF-06, INF-07 and INF-08 on the copy at ``path``."""
    with closing(QueueDatabase(path, busy_timeout=0.0)) as other, closing(QueueDatabase(path)) as db:
        for requirement, name, tried in (
            ("INF-04", "connections run with the contract's settings", lambda: _settings(db)),
            ("INF-06", "a transaction is whole, and takes its lock at the start", lambda: _whole(db, other)),
            ("INF-07", "the reference's hot calls walk no whole table", lambda: _plans(db)),
            ("INF-08", "errors are of the three classes, with their cause", lambda: _errors(db, other)),
        ):
            yield _tried(requirement, name, copied, tried)


def _tried(requirement: str, name: str, copied: str, tried: Callable[[], list[str]]) -> Check:
    try:
        wrong = tried()
    except QueueDatabaseError as error:
        wrong = [str(error)]
    return Check(requirement, name, ok=not wrong, detail="; ".join([*wrong, copied]))


def _settings(db: QueueDatabase) -> list[str]:
    with db.connection() as connection:
        found = [pragma(name, connection.execute(f"PRAGMA {name}").fetchone()[0]) for name in PRAGMAS]
    return [f"{one.name} = {one.value}, not {one.expected}" for one in found if not one.fits]


class _Undo(Exception):  # noqa: N818 - a wish, not an error
    pass


def _undo() -> None:
    raise _Undo


def _whole(db: QueueDatabase, other: QueueDatabase) -> list[str]:
    wrong = []
    try:
        with db.transaction() as connection:
            _register(connection)
            if _seen(other):
                wrong.append("what is not committed is seen by others")
            if not _is_busy(other):
                wrong.append("a second writer began beside the first")
            _undo()
    except _Undo:
        pass
    if _seen(other):
        wrong.append("what was rolled back is there")
    with db.transaction() as connection:
        _register(connection)
    if not _seen(other):
        wrong.append("what was committed is not there")
    return wrong


def _register(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO workers (worker_id) VALUES (?)", (WORKER,))


def _seen(db: QueueDatabase) -> bool:
    with db.connection() as connection:
        return connection.execute("SELECT 1 FROM workers WHERE worker_id = ?", (WORKER,)).fetchone() is not None


def _is_busy(db: QueueDatabase) -> bool:
    try:
        with db.transaction():
            return False
    except QueueBusyError:
        return True


def _plans(db: QueueDatabase) -> list[str]:
    """Return each hot statement whose plan walks the task table, with that line of the plan."""
    with _traced(db) as statements:
        hot_calls(Queue(db))
    wrong = []
    with db.connection() as connection:
        for statement in dict.fromkeys(one for one in statements if _PLANNED.match(one)):
            plan = [row["detail"] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()]
            walked = [line for line in plan if line.startswith("SCAN task_queue")]
            wrong += [f"{' '.join(statement.split())[:120]} does {line}" for line in walked]
    return wrong


def hot_calls(queue: Queue) -> None:
    """Make each hot call once; what it claims is a task of its own or one of the copy's."""
    for strategy in SchedulingStrategy:
        queue.enqueue(WORKER, {})
        queue.claim_by(strategy, WORKER, {}, 60.0)
    queue.enqueue(WORKER, {})
    task = queue.claim_task(WORKER, {}, 60.0)
    if task is not None:
        queue.complete_task(task, WORKER)
    queue.reclaim_expired()
    queue.delete_finished(3600.0)


@contextmanager
def _traced(db: QueueDatabase) -> Iterator[list[str]]:
    statements: list[str] = []
    with db.connection() as connection:
        connection.set_trace_callback(statements.append)
    try:
        yield statements
    finally:
        with db.connection() as connection:
            connection.set_trace_callback(None)


def _errors(db: QueueDatabase, impatient: QueueDatabase) -> list[str]:
    tries = (
        ("a lock that is held", QueueBusyError, lambda: _against_a_lock(db, impatient)),
        ("a table that is missing", QueueSchemaError, lambda: _execute(db, "SELECT * FROM taskq_validate_no_table")),
        ("SQL that is none", QueueDatabaseError, lambda: _execute(db, "SELEKT")),
    )
    return [wrong for what, kind, tried in tries if (wrong := _misnamed(what, kind, tried))]


def _misnamed(what: str, kind: type[QueueDatabaseError], tried: Callable[[], None]) -> str:
    try:
        tried()
    except QueueDatabaseError as error:
        if not isinstance(error, kind):
            return f"{what} is a {type(error).__name__}, not a {kind.__name__}"
        return "" if isinstance(error.__cause__, sqlite3.Error) else f"{what} does not chain its cause"
    return f"{what} raises nothing"


def _against_a_lock(db: QueueDatabase, impatient: QueueDatabase) -> None:
    with db.transaction(), impatient.transaction():
        pass


def _execute(db: QueueDatabase, sql: str) -> None:
    with db.connection() as connection:
        connection.execute(sql).fetchall()
