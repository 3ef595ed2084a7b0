"""Whether a worker fits the queue it works on: its code is graded, its rows are looked at, nothing is changed."""

from __future__ import annotations

import inspect
import json
import logging
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_taskq.contract import METHODS

from .opening import speaks_postgres
from .validation import Check, ValidationReport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_taskq.contract import Connection, Database, Method


_LOG = logging.getLogger("pytest_taskq")
_GRADING = ("--taskq-conformance", "-m", "taskq", "--taskq-effort=smoke", "-p", "no:cacheprovider", "-q")
_LONGEST = 900  # seconds that it may take


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


def validate_worker_integration(db: Database, worker_id: str, adapter: object) -> bool:
    """Whether the adapter (a class or an instance of one) fits the queue: it is graded, and its rows are looked at.

    The suite grades it at smoke effort in a process of its own, on databases that it makes and removes; of ``db`` it
    only takes which back end that is, and nothing is written there. What is wrong is logged as warnings of the logger
    ``pytest_taskq``. Raises ValueError for a class that another process cannot import.
    """
    report = worker_report(db, worker_id, adapter)
    for check in report.checks:
        if not check.ok:
            _LOG.warning("%s", check)
    return report.ok and _graded(adapter if isinstance(adapter, type) else type(adapter), _server_of(db))


def worker_report(db: Database, worker_id: str, adapter: object) -> ValidationReport:
    """Report whether the adapter has the contract's methods, and whether the worker's rows in ``db`` are sound.

    Reads only. That both use one database can be seen of an instance alone.
    """
    checks = [_methods_check(adapter)]
    ask = _questions(db)
    with db.connection() as connection:
        place = _place_of(connection, ask)
        if not isinstance(adapter, type):
            checks.append(_same_database_check(place, adapter))
        checks += _worker_checks(connection, worker_id, ask)
    return ValidationReport(place, tuple(checks))


def _graded(adapter: type, server: str) -> bool:
    """Whether the suite passes the class at smoke effort; its output is logged if not."""
    name = f"{adapter.__module__}:{adapter.__qualname__}"
    if adapter.__module__ == "__main__" or "<locals>" in name:
        raise ValueError(f"{name} cannot be imported by another process; put the adapter at the top of a module")
    options = [f"--taskq-adapter={name}", *([f"--taskq-dsn={server}"] if server else [])]
    command = [sys.executable, "-m", "pytest", *_GRADING]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path)}
    with tempfile.TemporaryDirectory(prefix="taskq-integration-", ignore_cleanup_errors=True) as folder:
        try:
            ran = subprocess.run(  # noqa: S603 - our own command, no shell
                [*command, *options], cwd=folder, env=environment, capture_output=True, text=True,
                timeout=_LONGEST, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            _LOG.warning("%s was not graded within %d s", name, _LONGEST)
            return False
    if ran.returncode:
        _LOG.warning("%s was graded, exit code %d:\n%s%s", name, ran.returncode, ran.stdout, ran.stderr)
    return ran.returncode == 0


def _server_of(db: Database) -> str:
    return str(getattr(db, "dsn", "")) if speaks_postgres(db) else ""


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
    if row is None:
        yield Check.not_judged("INF-05", "its own row", f"the table workers has none of {worker_id!r}")
    else:
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
