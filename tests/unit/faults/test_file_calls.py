"""Calls on files are told before they are made, fail as told, and no pointer stays replaced."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pytest_taskq.faults import file_calls
from pytest_taskq.faults.file_calls import FULL, SKIPPED, FileCall, file_calls_told, why_out_of_reach
from pytest_taskq.sqlite.library import Vfs, find_library

pytestmark = pytest.mark.skipif(why_out_of_reach() is not None, reason=str(why_out_of_reach()))


class Ledger:
    def __init__(self) -> None:
        self.calls: list[FileCall] = []
        self.answers: dict[int, int] = {}

    def before(self, call: FileCall) -> int:
        self.calls.append(call)
        return self.answers.get(len(self.calls), 0)

    @property
    def kinds(self) -> list[tuple[str, str]]:
        return [(call.kind, Path(call.path).name) for call in self.calls]


def connected(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA journal_mode = {mode}")
    connection.execute("CREATE TABLE t (a)")
    return connection


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    told = Ledger()
    with file_calls_told(told):
        yield told


def pointers() -> list[tuple[int, int]]:
    library, _ = find_library()
    assert library is not None
    return [(vfs.xOpen, vfs.xDelete) for vfs in map(Vfs.from_address, library.vfs_addresses())]


def test_a_commit_in_wal_mode_writes_and_syncs_the_log(tmp_path: Path, ledger: Ledger) -> None:
    with closing(connected(tmp_path / "q.db", "WAL")) as connection:
        ledger.calls.clear()
        connection.execute("INSERT INTO t VALUES (1)")
        assert set(ledger.kinds) == {("write", "q.db-wal"), ("sync", "q.db-wal")}
        assert ledger.calls[-2].data[:4096].count(b"") == 4097
        assert len(ledger.calls[-2].data) == 4096


def test_a_commit_with_a_journal_ends_with_its_deletion(tmp_path: Path, ledger: Ledger) -> None:
    with closing(connected(tmp_path / "q.db", "DELETE")) as connection:
        ledger.calls.clear()
        connection.execute("INSERT INTO t VALUES (1)")
        assert ledger.kinds[0] == ("open", "q.db-journal")
        assert ledger.calls[0].flag
        assert ledger.kinds[-1] == ("delete", "q.db-journal")


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_every_call_of_a_commit_can_fail_and_the_next_commit_works(tmp_path: Path, ledger: Ledger, mode: str) -> None:
    with closing(connected(tmp_path / "q.db", mode)) as connection:
        ledger.calls.clear()
        connection.execute("INSERT INTO t VALUES (1)")
        count = len(ledger.calls)
        for number in range(1, count + 1):
            ledger.calls.clear()
            ledger.answers = {number: FULL}
            with pytest.raises(sqlite3.OperationalError, match="disk is full"):
                connection.execute("INSERT INTO t VALUES (2)")
            ledger.answers = {}
            assert connection.execute("SELECT count(*) FROM t").fetchone() == (number,)
            connection.execute("INSERT INTO t VALUES (3)")
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_sync_can_be_left_out(tmp_path: Path, ledger: Ledger) -> None:
    with closing(connected(tmp_path / "q.db", "WAL")) as connection:
        ledger.before = lambda call: SKIPPED if call.kind == "sync" else 0  # type: ignore[method-assign]
        connection.execute("INSERT INTO t VALUES (1)")
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (1,)


def test_a_listener_that_breaks_fails_the_call(tmp_path: Path, ledger: Ledger) -> None:
    def broken(_: FileCall) -> int:
        raise LookupError("no answer")

    with closing(connected(tmp_path / "q.db", "WAL")) as connection:
        ledger.before = broken  # type: ignore[method-assign]
        with pytest.raises(sqlite3.OperationalError, match="disk I/O error"):
            connection.execute("INSERT INTO t VALUES (1)")
        ledger.before = lambda _: 0  # type: ignore[method-assign]


def test_afterwards_every_pointer_is_as_before(tmp_path: Path) -> None:
    before, told = pointers(), Ledger()
    with file_calls_told(told):
        assert pointers() != before
        left_open = connected(tmp_path / "q.db", "WAL")
    assert pointers() == before
    count = len(told.calls)
    left_open.execute("INSERT INTO t VALUES (1)")  # its file still has our table, which only passes on
    left_open.close()
    with closing(sqlite3.connect(tmp_path / "q.db")) as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (1,)
    assert len(told.calls) == count
    assert file_calls._FILES.paths == {}


def test_one_listens_at_a_time(ledger: Ledger) -> None:
    with pytest.raises(RuntimeError, match="have a listener already"), file_calls_told(ledger):
        pass
