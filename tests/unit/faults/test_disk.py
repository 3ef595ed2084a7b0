"""What a power cut may leave follows from what was synced, and gives SQLite's own documented durability."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pytest_taskq.faults.disk import SECTOR, Disk, cuts
from pytest_taskq.faults.file_calls import FileCall, file_calls_told, why_out_of_reach
from pytest_taskq.faults.power import FileLog


def write(path: str, data: bytes, offset: int = 0) -> FileCall:
    return FileCall("write", path, offset, data)


def sync(path: str) -> FileCall:
    return FileCall("sync", path)


def disk_after(*calls: FileCall, **files: bytes) -> Disk:
    disk = Disk(files)
    for call in calls:
        disk.make(call)
    return disk


def test_a_write_is_there_for_sure_once_its_file_is_synced() -> None:
    unsynced = disk_after(write("a", b"new"), a=b"old")
    assert unsynced.files("none") == {"a": b"old"}
    assert unsynced.files("all") == {"a": b"new"}
    assert disk_after(write("a", b"new"), sync("b"), a=b"old").files("none") == {"a": b"old", "b": b""}
    assert disk_after(write("a", b"new"), sync("a"), a=b"old").files("none") == {"a": b"new"}


def test_a_write_beyond_the_end_leaves_zeros_between() -> None:
    assert disk_after(write("a", b"x", 3), a=b"1").files("all") == {"a": b"1\0\0x"}


def test_a_truncation_counts_like_a_write() -> None:
    cut = FileCall("truncate", "a", 1)
    assert disk_after(cut, a=b"123").files("none") == {"a": b"123"}
    assert disk_after(cut, sync("a"), a=b"123").files("none") == {"a": b"1"}


def test_a_deletion_is_for_good_with_its_folder_or_a_later_sync() -> None:
    assert disk_after(FileCall("delete", "a"), a=b"1").files("none") == {"a": b"1"}
    assert disk_after(FileCall("delete", "a"), a=b"1").files("all") == {}
    assert disk_after(FileCall("delete", "a", flag=True), a=b"1").files("none") == {}
    assert disk_after(FileCall("delete", "a"), sync("b"), a=b"1", b=b"2").files("none") == {"b": b"2"}


def test_what_is_written_to_a_new_file_is_not_in_the_old_one() -> None:
    disk = disk_after(FileCall("delete", "a"), write("a", b"new"), a=b"old")
    seen = {disk.files(random.Random(seed)).get("a") for seed in range(40)}  # noqa: S311 - not a secret
    assert seen == {b"old", b"new", b"", None}
    assert disk.files("none") == {"a": b"old"}
    assert disk.files("all") == {"a": b"new"}


def test_a_part_is_any_choice_of_writes_cut_at_sectors() -> None:
    page = b"x" * (4 * SECTOR)
    disk = disk_after(write("a", page), write("b", b"y" * SECTOR), a=b"", b=b"")
    chosen = [disk.files(random.Random(seed)) for seed in range(400)]  # noqa: S311 - not a secret
    seen = {(len(files["a"]), len(files["b"])) for files in chosen}
    assert {length for length, _ in seen} == {0, SECTOR, 2 * SECTOR, 3 * SECTOR, 4 * SECTOR}
    assert {length for _, length in seen} == {0, SECTOR}


def test_one_seed_gives_one_sequence_of_cuts() -> None:
    calls = [write("a", b"1" * SECTOR, SECTOR * n) for n in range(6)]
    first, again, other = ([*cuts({}, calls, {3, 6}, seed=seed, parts=4)] for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert {cut.made for cut in first} == {3, 6}


# What https://sqlite.org/pragma.html#pragma_synchronous says: (acknowledged rows may be lost, the file may be broken).
DOCUMENTED = {
    ("WAL", "EXTRA"): (False, False),
    ("WAL", "FULL"): (False, False),
    ("WAL", "NORMAL"): (True, False),
    ("WAL", "OFF"): (True, True),
    ("DELETE", "EXTRA"): (False, False),
    ("DELETE", "FULL"): (True, False),  # the deletion of the journal is not synced
    ("DELETE", "NORMAL"): (True, False),
    ("DELETE", "OFF"): (True, True),
}


@pytest.mark.skipif(why_out_of_reach() is not None, reason=str(why_out_of_reach()))
@pytest.mark.parametrize(("journal", "synchronous"), DOCUMENTED, ids=[f"{one}-{other}" for one, other in DOCUMENTED])
def test_images_of_the_disk_show_the_durability_that_sqlite_documents(
    tmp_path: Path, journal: str, synchronous: str
) -> None:
    live = tmp_path / "live"
    live.mkdir()
    with closing(sqlite3.connect(live / "q.db", isolation_level=None)) as connection:
        connection.execute(f"PRAGMA journal_mode = {journal}")
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, state TEXT)")
        connection.execute("CREATE INDEX i ON t (state)")
    start = {"q.db": (live / "q.db").read_bytes()}
    calls, acknowledged = twelve_inserts(live, synchronous)
    lost = broken = 0
    for cut in cuts(start, calls, set(range(len(calls) + 1)), seed=1, parts=2):
        found = surviving(tmp_path / f"image-{cut.made}", cut.files)
        if found is None:
            broken += 1
        elif not {row for row, made in acknowledged.items() if made <= cut.made} <= found:
            lost += 1
    assert (lost > 0, broken > 0) == DOCUMENTED[journal, synchronous], (lost, broken)


def twelve_inserts(folder: Path, synchronous: str) -> tuple[list[FileCall], dict[int, int]]:
    """Return the calls on files, and after how many of them each row was acknowledged."""
    log = FileLog(str(folder.resolve()))
    with file_calls_told(log), closing(sqlite3.connect(folder / "q.db", isolation_level=None)) as connection:
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("PRAGMA wal_autocheckpoint = 6")
        acknowledged = {}
        with log.on():
            for number in range(12):
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("INSERT INTO t VALUES (?, 'queued')", (number,))
                connection.execute("COMMIT")
                acknowledged[number] = len(log.calls)
    return log.calls, acknowledged


def surviving(folder: Path, files) -> set[int] | None:
    """Return the rows of an image, None if it is broken."""
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    with closing(sqlite3.connect(folder / "q.db")) as connection:
        try:
            if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                return None
            return {row[0] for row in connection.execute("SELECT id FROM t")}
        except sqlite3.DatabaseError:
            return None
