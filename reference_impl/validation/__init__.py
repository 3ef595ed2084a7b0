"""Look at an existing queue and change nothing: the infrastructure's eight checks, in production if need be.

``python -m pytest_taskq.reference_impl.validation PATH`` is the command ``taskq validate PATH``.
"""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from .report import AREAS, Check, ValidationReport

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from .timing import Timed

__all__ = ["AREAS", "SECONDS", "Check", "ValidationReport", "quick_validate", "validate", "validate_and_time"]

SECONDS = 10.0  # for the integrity check, and for the rows
_TRIES = 5
_POSTGRES = ("postgresql://", "postgres://")
_SQLITE = "sqlite:///"


def quick_validate(path: str | Path | None = None) -> ValidationReport:
    """Report whether the file, or the database of a DSN, holds a sound queue; the report is true if it does.

    Nothing is written, no write lock is taken, and nothing is left beside the file. What cannot be seen without
    writing is tried on a scratch copy. Without a path: a fresh database of the reference's own, removed again.
    """
    return validate(path)


def validate(path: str | Path | None = None, *, seconds: float = SECONDS) -> ValidationReport:
    """Report as ``quick_validate``; the integrity check and the reading of rows get ``seconds`` each."""
    if path is None:
        return _validate_own(seconds)
    if str(path).startswith(_POSTGRES):
        from .server import validate_server

        return validate_server(str(path), seconds)
    return _validate_file(Path(str(path).removeprefix(_SQLITE)).absolute(), seconds)


def validate_and_time(path: str | Path, *, seconds: float = SECONDS) -> tuple[ValidationReport, Sequence[Timed]]:
    """Return the report, and how long the reference's operations take on a scratch copy of a sound file.

    Nothing is timed of what is not valid, nor of a server: a copy of its schema would have to be written there.
    """
    from . import reading, scratch, timing

    report = validate(path, seconds=seconds)
    if not report.ok or report.place.startswith(_POSTGRES):
        return report, ()
    with tempfile.TemporaryDirectory(prefix="taskq-validate-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder, "scratch.db")
        with reading.opened(Path(report.place)) as (connection, _):
            scratch.copy_to(copy, connection)
        return report, tuple(timing.timings(copy))


def _validate_own(seconds: float) -> ValidationReport:
    from pytest_taskq.reference_impl.database import QueueDatabase
    from pytest_taskq.reference_impl.queue import Queue

    with tempfile.TemporaryDirectory(prefix="taskq-validate-", ignore_cleanup_errors=True) as folder:
        file = Path(folder, "queue.db")
        with closing(QueueDatabase(file)) as db:
            db.initialize_schema()
            Queue(db).enqueue("validate", {"text": "ä\0"}, compatibility={"gpu": True})
            return _validate_file(file, seconds)


def _validate_file(path: Path, seconds: float) -> ValidationReport:
    from . import reading

    try:
        reading.refuse_no_file(path)
        return _settled(path, seconds)
    except (reading.CannotReadError, OSError) as error:
        return ValidationReport(str(path), obstacle=str(error))


def _settled(path: Path, seconds: float) -> ValidationReport:
    """Return the report of a look at the file during which nobody wrote, or that held a lock against that."""
    from . import reading

    for _ in range(_TRIES):
        # Who reads without locks must look whether somebody wrote meanwhile, and then read again with them.
        before = reading.stamp(path)
        with reading.opened(path) as (connection, locks):
            report = ValidationReport(str(path), tuple(_checks(path, connection, seconds)))
        if reading.stamp(path) == before or report.ok:
            return report
    if not locks:
        raise reading.CannotReadError(f"{path} was written to during each of {_TRIES} looks at it; try again")
    return report


def _checks(path: Path, connection: sqlite3.Connection, seconds: float) -> list[Check]:
    from .file_checks import file_checks

    found = list(file_checks(path, connection, seconds))
    if all(one.ok for one in found if one.requirement in ("INF-02", "INF-03")):
        return sorted([*found, *_on_a_copy(connection)], key=lambda one: one.requirement)
    writing = ("INF-06", "INF-07", "INF-08")
    why = "a copy of it would be as broken; mend that first"
    return [*found, *(Check.not_judged(name, AREAS[name], why) for name in writing)]


def _on_a_copy(connection: sqlite3.Connection) -> list[Check]:
    from .scratch import copy_to, scratch_checks

    with tempfile.TemporaryDirectory(prefix="taskq-validate-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder, "scratch.db")
        return list(scratch_checks(copy, copy_to(copy, connection)))
