"""A store is read while its owner works, and the owner's locks stay."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from pytest_taskq.sqlite.files import StoreFiles, holds_sqlite

_INTRUDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)
try:
    connection.execute("BEGIN IMMEDIATE")
except sqlite3.OperationalError as error:
    print(error)
else:
    print("got the lock")
"""


def another_process_asks_for_the_lock(path: Path) -> str:
    command = [sys.executable, "-c", _INTRUDER, str(path)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout.strip()


def test_reading_leaves_the_owner_its_locks(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    with StoreFiles() as files, closing(sqlite3.connect(path, isolation_level=None)) as owner:
        owner.execute("CREATE TABLE t (a)")
        owner.execute("BEGIN IMMEDIATE")
        assert holds_sqlite(files.image(tmp_path))
        assert another_process_asks_for_the_lock(path) == "database is locked"


@pytest.mark.skipif(os.name == "nt", reason="closing a file drops no locks there")
def test_reading_it_the_usual_way_would_not(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as owner:
        owner.execute("CREATE TABLE t (a)")
        owner.execute("BEGIN IMMEDIATE")
        path.read_bytes()
        assert another_process_asks_for_the_lock(path) == "got the lock"


def test_the_image_is_what_the_files_hold_now(tmp_path: Path) -> None:
    with StoreFiles() as files:
        (tmp_path / "a").write_bytes(b"1")
        (tmp_path / "queue.db-shm").write_bytes(b"index")
        (tmp_path / "deep").mkdir()
        (tmp_path / "deep" / "b").write_bytes(b"2")
        assert files.image(tmp_path) == {"a": b"1", "deep/b": b"2"}
        (tmp_path / "a").write_bytes(b"longer")
        (tmp_path / "deep" / "b").unlink()
        assert files.image(tmp_path) == {"a": b"longer"}
        (tmp_path / "deep" / "b").write_bytes(b"another file of that name")
        assert files.image(tmp_path)["deep/b"] == b"another file of that name"


def test_nothing_stays_open(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    with StoreFiles() as files:
        files.image(tmp_path)
        held = list(files._held.values())
    for descriptor in held:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)
