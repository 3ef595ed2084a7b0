"""What can be seen of an SQLite file by reading it."""

from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_taskq.reference_impl import schema
from pytest_taskq.reference_impl.expected import schema_problems

from .contents import few, rows_check, schema_check
from .deadline import Deadline, was_interrupted
from .reading import keeps_wal
from .report import Check

if TYPE_CHECKING:
    from collections.abc import Iterator


_MOST_PROBLEMS = 10
# WAL keeps its index in shared memory, which machines do not share: https://sqlite.org/wal.html
_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "glusterfs", "ceph"})


def file_checks(path: Path, connection: sqlite3.Connection, seconds: float) -> Iterator[Check]:
    """Yield the checks INF-01 to INF-05; the integrity check and the rows get ``seconds`` each."""
    yield _configuration(path)
    sound = _integrity(connection, Deadline(seconds))
    yield sound
    if not sound.ok:
        return
    yield _links(connection, Deadline(seconds))
    problems, notes = schema_problems(connection)
    yield schema_check(problems, notes, extras=schema.has_extras(connection))
    yield _journal(path)
    yield rows_check(connection, Deadline(seconds), problems)


def _configuration(path: Path) -> Check:
    name = "where the file lies suits a queue"
    kind = _file_system(path)
    if kind in _NETWORK:
        detail = f"{path} is on a network file system ({kind}), where WAL loses data; use a local disk"
        return Check("INF-01", name, ok=False, detail=detail)
    barred = [str(place) for place in (path, path.parent) if not os.access(place, os.W_OK)]
    note = f"this user may not write {' or '.join(barred)}, so no worker of this user can" if barred else ""
    return Check("INF-01", name, ok=True, detail=note)


def _file_system(path: Path) -> str:
    """Return the kind of file system by the longest mount point above ``path``; "" where that cannot be asked."""
    if sys.platform != "linux":
        return ""
    try:
        lines = [line.split() for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    except OSError:
        return ""
    real = path.resolve()
    above = [(len(parts[1]), parts[2]) for parts in lines if real.is_relative_to(parts[1].replace("\\040", " "))]
    return max(above, default=(0, ""))[1]


def _integrity(connection: sqlite3.Connection, deadline: Deadline) -> Check:
    name = "opens and passes the integrity check"
    try:
        with deadline.held_by(connection):
            rows = connection.execute(f"PRAGMA integrity_check({_MOST_PROBLEMS})").fetchall()
    except sqlite3.Error as error:
        if was_interrupted(error):
            return Check.not_judged("INF-02", name, f"it was not through within {deadline.seconds:g} s; give it more")
        return Check("INF-02", name, ok=False, detail=str(error))
    wrong = [row[0] for row in rows if row[0] != "ok"]
    return Check("INF-02", name, ok=not wrong, detail=few(wrong))


def _links(connection: sqlite3.Connection, deadline: Deadline) -> Check:
    name = "logs belong to tasks that exist"
    try:
        with deadline.held_by(connection):
            rows = connection.execute("PRAGMA foreign_key_check").fetchall()
    except sqlite3.Error as error:
        if was_interrupted(error):
            return Check.not_judged("INF-02", name, f"it was not through within {deadline.seconds:g} s; give it more")
        return Check("INF-02", name, ok=False, detail=str(error))
    gone = [f"row {row[1]} of {row[0]} refers to a task that is gone" for row in rows]
    return Check("INF-02", name, ok=not gone, detail=few(gone))


def _journal(path: Path) -> Check:
    ok = keeps_wal(path)
    detail = "" if ok else "it keeps another, in which readers stop writers; PRAGMA journal_mode = WAL mends it"
    return Check("INF-04", "the file keeps WAL as its journal mode", ok=ok, detail=detail)
