"""Where the stores of a run are made: in a temporary folder, never in a database that somebody else made."""

from __future__ import annotations

import os
import sqlite3
import stat
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_taskq.postgres.server import SCHEMES
from pytest_taskq.subject import Stores, UnsupportedError
from pytest_taskq.subject.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_taskq.subject import Subject
    from pytest_taskq.subject.invocation import Invoker

_SQLITE = "sqlite:///"
_ANY_WRITE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


class GivenStore(Stores):
    """The one place that ``--taskq-dsn`` names for a standalone queue; its ``setup()`` makes a fresh store there."""

    backend = "standalone"

    def __init__(self, subject: Subject, dsn: str, temporary: Path) -> None:
        super().__init__(subject, temporary)
        self._dsn = dsn

    def fresh(self, invoke: Invoker, *, in_real_time: bool = False) -> Store:  # noqa: ARG002 - the adapter's setup() does it
        """Return the place as it was given."""
        return Store(self._dsn, self.folder)

    def restored(self, files: Mapping[str, bytes]) -> Store:
        """Raise UnsupportedError: what is at the place is not the kit's to write."""
        del files
        raise UnsupportedError(f"a store at {self._dsn} cannot be made of files")

    def discard(self, store: Store) -> None:
        """Leave it: the kit did not make it."""


def check_replay(token: str | None) -> None:
    """Return if ``--taskq-replay`` names a schedule. Raises UsageError saying what it is instead."""
    if token is None:
        return
    from pytest_taskq.interleaving.choices import Token

    try:
        Token.parse(token)
    except ValueError as error:
        raise pytest.UsageError(f"--taskq-replay: {error}") from None


def check_dsn(dsn: str | None, subject: Subject) -> None:
    """Raise UsageError if stores cannot be made where ``dsn`` says."""
    if dsn is None or (subject.standalone and not dsn.startswith("sqlite:")):
        return
    if dsn.startswith(SCHEMES):
        _refuse_unreachable(dsn)
        return
    if not dsn.startswith(_SQLITE) or len(dsn) == len(_SQLITE):
        raise pytest.UsageError(
            f"--taskq-dsn={dsn} cannot be used: give sqlite:///path (an absolute path makes four slashes) or "
            "postgresql://user@host:port/database, or leave it out for a temporary folder."
        )
    _refuse(dsn, Path(dsn[len(_SQLITE) :]))


def stores_for(subject: Subject, dsn: str | None, temporary: Path) -> Stores:
    """Return the stores of this process: below ``temporary``, or where a checked ``dsn`` says."""
    if dsn is None:
        return Stores(subject, temporary)
    if not dsn.startswith(_SQLITE):
        return _on_server(subject, dsn, temporary)
    beside = Path(dsn[len(_SQLITE) :]).absolute().parent
    return Stores(subject, Path(tempfile.mkdtemp(prefix="taskq-", dir=beside)))


def _on_server(subject: Subject, dsn: str, temporary: Path) -> Stores:
    if subject.standalone:
        return GivenStore(subject, dsn, temporary)
    from pytest_taskq.postgres.stores import SchemaStores

    return SchemaStores(subject, temporary, dsn)


def _refuse_unreachable(dsn: str) -> None:
    """Raise UsageError unless schemas can be made on the server."""
    from pytest_taskq.postgres.server import WAYS, why_unusable

    problem = why_unusable(dsn)
    if problem:
        raise pytest.UsageError(f"--taskq-dsn={dsn} cannot be used: {problem}. Either {WAYS}.")


def _refuse(dsn: str, path: Path) -> None:
    problem = _folder_problem(path.absolute().parent) or _file_problem(path)
    if problem:
        raise pytest.UsageError(
            f"--taskq-dsn={dsn} is refused: {problem}. The kit makes stores of its own in a new folder beside that "
            "path and never writes to the path itself; name a file that does not exist yet, in a folder that does."
        )


def _folder_problem(folder: Path) -> str | None:
    if not folder.is_dir():
        return f"the folder {folder} does not exist"
    return None if _writable(folder) else f"the folder {folder} is not writable"


def _file_problem(path: Path) -> str | None:
    if path.is_dir():
        return f"{path} is a directory"
    if not path.exists():
        return None
    if not _writable(path):
        return f"{path} is not writable"
    return _content_problem(path)


def _writable(path: Path) -> bool:
    # The mode bits too: root passes os.access on what nobody is meant to write.
    return os.access(path, os.W_OK) and bool(path.stat().st_mode & _ANY_WRITE)


def _content_problem(path: Path) -> str | None:
    if path.stat().st_size == 0:
        return None
    if path.with_name(f"{path.name}-wal").exists():
        return f"{path} is in use, or was left by a process that died (a -wal file is beside it)"
    try:
        # immutable: a reader would otherwise leave -wal and -shm files beside a database that is not ours
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'task_queue'").fetchone()
    except sqlite3.DatabaseError as error:
        return f"{path} is not an SQLite database ({error})"
    return f"{path} holds a queue (a table task_queue) that this run did not create" if found else None
