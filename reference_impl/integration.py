"""Look whether a worker fits the queue it works on, and change nothing."""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_taskq.contract import METHODS

from .opening import speaks_postgres
from .reports import Check, ValidationReport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_taskq.contract import Connection, Database, Method


@dataclass(frozen=True, slots=True)
class Questions:
    """What is asked of the database, in its own SQL; the only parameter is the worker's name."""

    place: str
    worker: str
    inconsistent: str


_SQLITE = Questions(
    place="SELECT file FROM pragma_database_list WHERE name = 'main'",
    worker="""
        SELECT capabilities,
            datetime(heartbeat_utc) IS NOT NULL AND heartbeat_utc <= datetime('now', '+1 second') AS sane
        FROM workers WHERE worker_id = ?
    """,
    inconsistent="""
        SELECT id, status FROM task_queue WHERE locked_by = ? AND (
            status IS NOT 'leased' OR lease_until_utc IS NULL OR reserved_at_utc IS NULL OR ifnull(attempts, 0) < 1
        ) ORDER BY id LIMIT 20
    """,
)


def validate_worker_integration(db: Database, worker_id: str, adapter: object) -> ValidationReport:
    """Report whether the adapter (a class or an instance) has the contract's methods and the worker's rows are sound.

    Reads only. That both use one database can be seen of an instance alone.
    """
    checks = [_methods_check(adapter)]
    ask = _questions(db)
    with db.connection() as connection:
        place = _place_of(connection, ask)
        if not isinstance(adapter, type):
            checks.append(_same_database_check(place, adapter))
        checks += _worker_checks(connection, worker_id, ask)
    return ValidationReport(Path(place), tuple(checks))


def _methods_check(adapter: object) -> Check:
    wrong = [problem for method in METHODS.values() for problem in _misfit(adapter, method)]
    return Check("CLM-01", "the adapter has the contract's methods", ok=not wrong, detail="; ".join(wrong))


def _misfit(adapter: object, method: Method) -> Iterator[str]:
    function = getattr(adapter, method.name, None)
    if function is None:
        if not method.optional:
            yield f"{method.name} is missing"
        return
    if not callable(function):
        yield f"{method.name} is not callable"
        return
    static = inspect.getattr_static(adapter, method.name)
    unbound = isinstance(adapter, type) and not isinstance(static, staticmethod | classmethod)
    signature = inspect.signature(function)
    try:
        signature.bind(*([None] if unbound else []), *method.parameters, **dict.fromkeys(method.keywords))
    except TypeError as error:
        yield f"{method.name}{signature} does not take {', '.join(method.parameters + method.keywords)} ({error})"


def _same_database_check(place: str, adapter: object) -> Check:
    name = "the adapter works on this database"
    other = getattr(adapter, "db", None)
    if other is None:
        return Check("INF-02", name, ok=False, detail="it has no db")
    with other.connection() as connection:
        found = _place_of(connection, _questions(other))
    return Check("INF-02", name, ok=found == place, detail="" if found == place else f"it works on {found}")


def _questions(db: Database) -> Questions:
    if not speaks_postgres(db):
        return _SQLITE
    from .postgres.integration import QUESTIONS

    return QUESTIONS


def _place_of(connection: Connection, ask: Questions) -> str:
    return str(connection.execute(ask.place).fetchone()[0])


def _worker_checks(connection: Connection, worker_id: str, ask: Questions) -> Iterator[Check]:
    row = connection.execute(ask.worker, (worker_id,)).fetchone()
    yield Check("INF-05", "the worker is registered", ok=row is not None, detail="" if row else f"no row {worker_id!r}")
    if row is not None:
        capable = _is_json_object(row[0])
        yield Check("INF-05", "its capabilities are a JSON object", ok=capable, detail="" if capable else f"{row[0]!r}")
        yield Check("INF-05", "its heartbeat is a time that was", ok=bool(row[1]))
    rows = connection.execute(ask.inconsistent, (worker_id,)).fetchall()
    wrong = ", ".join(f"task {row[0]} ({row[1]})" for row in rows)
    yield Check("CLM-04", "what it holds is leased, with a deadline and an attempt", ok=not wrong, detail=wrong)


def _is_json_object(text: object) -> bool:
    try:
        return isinstance(json.loads(str(text)), dict)
    except ValueError:
        return False
