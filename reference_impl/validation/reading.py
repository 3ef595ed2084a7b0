"""An existing SQLite file, opened so that nothing is written to it and nothing is left beside it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATIENCE = 1.0  # seconds that a lock is waited for: a reader waits only where somebody shuts everyone out


class CannotReadError(Exception):
    """The file cannot be looked at; the text says why and what to do."""


def refuse_no_file(path: Path) -> None:
    """Raise CannotReadError unless there is a file at ``path`` that this user may read."""
    wal = _beside(path, "-wal")
    if path.is_dir():
        raise CannotReadError(f"{path} is a directory, not a file; name the database in it")
    if not path.exists():
        orphan = f", though {wal.name} is there: a log without its database holds nothing by itself"
        raise CannotReadError(f"{path} does not exist{orphan if wal.exists() else ''}")
    if not path.is_file():
        raise CannotReadError(f"{path} is not a file")
    if not os.access(path, os.R_OK):
        raise CannotReadError(f"{path} may not be read by this user; run it as one who may")


@contextmanager
def opened(path: Path) -> Iterator[tuple[sqlite3.Connection, bool]]:
    """Yield a connection that creates no file beside ``path``, and whether its reads are safe from writers.

    Opening a WAL database creates ``-wal`` and ``-shm`` even for a reader. If a writer has them already, they are
    used; if there are none, the file is complete in itself and is read as immutable; what a crash left (a journal, or
    a WAL without its index) is read from a copy, because reading it in place means recovering it.
    """
    wal, shm, journal = (_beside(path, suffix) for suffix in ("-wal", "-shm", "-journal"))
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
        _refuse_shut(path, connection)
        yield connection, locks


def keeps_wal(path: Path) -> bool:
    """Whether the file keeps WAL as its journal mode: bytes 18 and 19, https://sqlite.org/fileformat2.html."""
    with path.open("rb") as file:
        return file.read(20)[18:20] == b"\x02\x02"


def stamp(path: Path) -> tuple[object, ...]:
    """Return what changes when somebody writes to the database."""
    files = [_beside(path, suffix) for suffix in ("", "-wal", "-journal")]
    return tuple((file.stat().st_mtime_ns, file.stat().st_size) if file.exists() else None for file in files)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _connect(path: Path, how: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.as_uri()}?{how}", uri=True, isolation_level=None, timeout=_PATIENCE)
    connection.row_factory = sqlite3.Row
    return connection


def _refuse_shut(path: Path, connection: sqlite3.Connection) -> None:
    """Raise if somebody keeps even readers out; what else is wrong with the file is a finding."""
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise CannotReadError(
                f"{path} is locked by a writer that lets nobody read ({error}); try again when it is done"
            ) from error
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
            raise CannotReadError(f"{path} cannot be opened by this user ({error}); run it as one who may") from error
