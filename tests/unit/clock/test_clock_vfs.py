from __future__ import annotations

import ctypes
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from pytest_taskq.clock import ClockUnavailableError, VirtualClock

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

sqlite_library = pytest.importorskip("pytest_taskq.sqlite.library")
START = "2030-12-31 23:59:50"


class WholeVfs(ctypes.Structure):
    _fields_ = [("head", sqlite_library.Vfs)]


@pytest.fixture
def library() -> Any:
    try:
        with VirtualClock(means="vfs"):
            return sqlite_library.find_library()[0]
    except ClockUnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture
def sqlite3_library(library: Any) -> ctypes.CDLL:
    return library.functions


def clock_pointers(library: Any) -> list[tuple[int, bytes]]:
    size = ctypes.sizeof(sqlite_library.Vfs)
    return [(address, ctypes.string_at(address, size)) for address in library.vfs_addresses()]


@contextmanager
def registered(sqlite3_library: ctypes.CDLL, library: Any, name: bytes, version: int) -> Iterator[WholeVfs]:
    """A copy of the default VFS under another name."""
    vfs = WholeVfs()
    ctypes.memset(ctypes.byref(vfs), 0x5A, ctypes.sizeof(vfs))  # what lies behind a shorter, older struct is not ours
    size = ctypes.sizeof(vfs) if version >= 3 else sqlite_library.Vfs.xCurrentTimeInt64.offset
    ctypes.memmove(ctypes.byref(vfs), library.vfs_addresses()[0], size)
    text = ctypes.create_string_buffer(name)
    vfs.head.iVersion, vfs.head.zName, vfs.head.pNext = version, ctypes.addressof(text), None
    assert sqlite3_library.sqlite3_vfs_register(ctypes.byref(vfs), 0) == 0
    try:
        yield vfs
    finally:
        sqlite3_library.sqlite3_vfs_unregister(ctypes.byref(vfs))


def now_through(vfs: str, path: os.PathLike[str]) -> str:
    with closing(sqlite3.connect(f"file:{path}/{vfs}.db?vfs={vfs}", uri=True)) as connection:
        return str(connection.execute("SELECT datetime('now')").fetchone()[0])


def test_every_vfs_is_byte_for_byte_what_it_was(library: Any) -> None:
    before = clock_pointers(library)
    with VirtualClock(means="vfs"):
        inside = clock_pointers(library)
        assert all(now != then for now, then in zip(inside, before, strict=True))
    assert clock_pointers(library) == before


def test_connections_through_any_registered_vfs_read_the_virtual_clock(
    library: Any, sqlite3_library: ctypes.CDLL, tmp_path: os.PathLike[str]
) -> None:
    with registered(sqlite3_library, library, b"taskq-copy", 3), VirtualClock(means="vfs"):
        assert now_through("taskq-copy", tmp_path) == START


def test_a_vfs_of_the_first_version_is_reached_through_its_days(
    library: Any, sqlite3_library: ctypes.CDLL, tmp_path: os.PathLike[str]
) -> None:
    with registered(sqlite3_library, library, b"taskq-old", 1) as vfs:
        before = bytes(vfs)
        with VirtualClock(means="vfs") as clock:
            assert now_through("taskq-old", tmp_path) == START
            clock.advance(10)
            assert now_through("taskq-old", tmp_path) == "2031-01-01 00:00:00"
            callback = vfs.head.xCurrentTime
        assert bytes(vfs) == before
        vfs.head.xCurrentTime = callback
        assert now_through("taskq-old", tmp_path) < START


def test_a_copy_of_a_vfs_made_in_virtual_time_reads_real_time_afterwards_and_follows_the_next_clock(
    library: Any, sqlite3_library: ctypes.CDLL, tmp_path: os.PathLike[str]
) -> None:
    with VirtualClock(means="vfs"):
        copy = registered(sqlite3_library, library, b"taskq-late", 3)
        vfs = copy.__enter__()
    before = bytes(vfs)
    assert now_through("taskq-late", tmp_path) < START
    with VirtualClock(means="vfs"):
        assert now_through("taskq-late", tmp_path) == START
    assert bytes(vfs) == before
    copy.__exit__(None, None, None)


def test_a_vfs_that_is_gone_is_not_written_to(library: Any, sqlite3_library: ctypes.CDLL) -> None:
    with registered(sqlite3_library, library, b"taskq-gone", 3) as vfs, VirtualClock(means="vfs"):
        sqlite3_library.sqlite3_vfs_unregister(ctypes.byref(vfs))
        freed = bytes(vfs)
    assert bytes(vfs) == freed


def test_a_hook_that_somebody_else_set_meanwhile_stays_theirs(library: Any, sqlite3_library: ctypes.CDLL) -> None:
    with registered(sqlite3_library, library, b"taskq-theirs", 3) as vfs:
        with VirtualClock(means="vfs"):
            vfs.head.xCurrentTimeInt64 = theirs = ctypes.cast(sqlite3_library.sqlite3_sleep, ctypes.c_void_p).value
        assert vfs.head.xCurrentTimeInt64 == theirs


@pytest.mark.usefixtures("library")
def test_another_build_of_sqlite_is_not_touched(sqlite3_library: ctypes.CDLL) -> None:
    with pytest.raises(LookupError, match="another build"):
        sqlite_library._attempt(sqlite3_library._name, (sqlite3.sqlite_version, "another source id"))


def test_a_library_that_sqlite3_does_not_follow_is_found_out(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(library), "vfs_addresses", lambda _: [])
    with pytest.raises(ClockUnavailableError, match="went on with real time"):
        VirtualClock(means="vfs").__enter__()
    with VirtualClock() as clock:
        assert clock.means == "functions"
