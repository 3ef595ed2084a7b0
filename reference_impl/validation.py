"""Look at an existing database and change nothing."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_taskq.contract import Task
from pytest_taskq.contract.task import COLUMNS

from .database import QueueDatabase
from .expected import schema_problems
from .queue import Queue
from .reports import Check, ValidationReport

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_taskq.contract import Connection

_WAL_VERSION = 2  # bytes 18 and 19 of the header, https://sqlite.org/fileformat2.html
_TRIES = 5
_SHOWN = 5  # rows named in a report


def quick_validate(path: str | Path | None = None) -> ValidationReport:
    """Report whether the file holds a sound queue; nothing is written, and nothing is left beside the file.

    Without a path: a fresh database of the reference's own, removed again.
    """
    if path is not None:
        return _validate(Path(path).resolve())
    with tempfile.TemporaryDirectory(prefix="taskq-validate-", ignore_cleanup_errors=True) as folder:
        file = Path(folder, "queue.db")
        with closing(QueueDatabase(file)) as db:
            db.initialize_schema()
            Queue(db).enqueue("validate", {"text": "ä\0"}, compatibility={"gpu": True})
            return _validate(file)


def _validate(path: Path) -> ValidationReport:
    if not path.is_file():
        what = "is not a file" if path.exists() else "does not exist"
        return ValidationReport(path, (Check("INF-02", "the database opens", ok=False, detail=f"{path} {what}"),))
    for _ in range(_TRIES):
        # Who reads without locks must look whether somebody wrote meanwhile, and then read again with them.
        before = _stamp(path)
        with _opened(path) as (connection, locks):
            report = ValidationReport(path, tuple(_checks(path, connection)))
        if _stamp(path) == before or (locks and report.ok):
            break
    return report


@contextmanager
def _opened(path: Path) -> Iterator[tuple[sqlite3.Connection, bool]]:
    """Yield a connection that creates no file beside ``path``, and whether its reads are safe from writers.

    Opening a WAL database creates ``-wal`` and ``-shm`` even for a reader. If a writer has them already, they are
    used; if there are none, the file is complete in itself and is read as immutable; what a crash left (a journal, or
    a WAL without its index) is read from a copy, because reading it in place means recovering it.
    """
    wal, shm, journal = (path.with_name(path.name + suffix) for suffix in ("-wal", "-shm", "-journal"))
    if journal.exists() or (wal.exists() and not shm.exists()):
        with tempfile.TemporaryDirectory(prefix="taskq-validate-", ignore_cleanup_errors=True) as folder:
            for file in (path, wal, journal):
                if file.exists():
                    shutil.copyfile(file, Path(folder, file.name))
            with closing(_connect(Path(folder, path.name), "mode=rw")) as connection:
                yield connection, False
        return
    locks = wal.exists()
    with closing(_connect(path, "mode=ro" if locks else "mode=ro&immutable=1")) as connection:
        yield connection, locks


def _connect(path: Path, how: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.as_uri()}?{how}", uri=True, isolation_level=None)
    connection.row_factory = sqlite3.Row
    return connection


def _stamp(path: Path) -> tuple[object, ...]:
    """Return what changes when somebody writes to the database."""
    files = [path.with_name(path.name + suffix) for suffix in ("", "-wal", "-journal")]
    return tuple((file.stat().st_mtime_ns, file.stat().st_size) if file.exists() else None for file in files)


def _checks(path: Path, connection: sqlite3.Connection) -> Iterator[Check]:
    name = "opens and passes the integrity check"
    try:
        found = [row[0] for row in connection.execute("PRAGMA integrity_check(10)").fetchall()]
        broken = [f"row {row[1]} of {row[0]}" for row in connection.execute("PRAGMA foreign_key_check").fetchall()]
    except sqlite3.Error as error:
        yield Check("INF-02", name, ok=False, detail=str(error))
        return
    wrong = [text for text in found if text != "ok"] + [f"{row} refers to a task that is gone" for row in broken]
    yield Check("INF-02", name, ok=not wrong, detail=_few(wrong))
    problems, notes = schema_problems(connection)
    yield Check("INF-03", "has the contract's schema", ok=not problems, detail="; ".join(problems + notes))
    yield _wal_check(path)
    if not any("task_queue" in problem and "missing" in problem for problem in problems):
        yield _rows_check(connection)


def _wal_check(path: Path) -> Check:
    with path.open("rb") as file:
        header = file.read(20)
    ok = header[18:20] == bytes((_WAL_VERSION, _WAL_VERSION))
    return Check("INF-04", "the file keeps WAL as its journal mode", ok=ok, detail="" if ok else "it keeps another")


def _rows_check(connection: Connection) -> Check:
    name = "rows make tasks and tasks make the same rows"
    wrong: list[str] = []
    noted: list[str] = []
    count = 0
    for task_id in [row[0] for row in connection.execute("SELECT id FROM task_queue").fetchall()]:
        count += 1
        try:
            row = connection.execute(_ROW, (task_id,)).fetchone()
            task = Task.from_dict(row)
        except (sqlite3.Error, ValueError) as error:
            noted.append(f"row {task_id}: {error}")
            continue
        if task.to_dict() != dict(zip(row.keys(), tuple(row), strict=True)):
            wrong.append(f"row {task_id} changed on the way")
        noted += _unreadable(task)
    detail = "; ".join(part for part in (f"{count} rows", _few(wrong), _few(noted)) if part)
    return Check("INF-05", name, ok=not wrong, detail=detail)


_ROW = "SELECT " + ", ".join(COLUMNS) + " FROM task_queue WHERE id = ?"


def _unreadable(task: Task) -> Iterator[str]:
    for read in (task.get_payload_dict, task.get_compatibility_dict):
        try:
            read()
        except ValueError as error:
            yield str(error)


def _few(texts: Iterable[str]) -> str:
    listed = list(texts)
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return "; ".join(listed[:_SHOWN]) + more
