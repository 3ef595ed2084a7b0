from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pytest_taskq.sqlite.statements import HOOK
from pytest_taskq.statements import Statement


class Stop(BaseException):
    pass


class Listener:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.rows: list[Any] = []
        self.stop_at = ""
        self.again = 0

    def opened(self, connection: sqlite3.Connection, *, rows_seen: bool) -> None:
        self.rows_seen = rows_seen

    def begins(self, statement: Statement) -> None:
        text = statement.sql.strip()
        self.log.append(text if statement.stoppable else f"({text})")
        if statement.stoppable and self.stop_at and text.startswith(self.stop_at):
            raise Stop

    def ended(self, statement: Statement, seen: object) -> None:
        self.rows.append(seen)

    def failed(self, statement: Statement, error: sqlite3.Error) -> bool:
        self.log.append(type(error).__name__)
        self.again -= 1
        return self.again >= 0

    def fetched(self, connection: sqlite3.Connection, rows: Any) -> None:
        self.rows.extend(map(tuple, rows))

    def closing(self, connection: sqlite3.Connection) -> None:
        self.log.append("close")


@pytest.fixture
def listener() -> Any:
    listener = Listener()
    with HOOK.telling(listener):
        yield listener


def table(path: Path, **options: Any) -> sqlite3.Connection:
    connection = sqlite3.connect(path / "t.db", **options)
    with connection:
        connection.execute("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, a)")
    if isinstance(HOOK.listener, Listener):
        HOOK.listener.log.clear()
        HOOK.listener.rows.clear()
    return connection


def test_the_implicit_transaction_of_a_with_block_is_told_with_its_commit(listener: Listener, tmp_path: Path) -> None:
    with closing(table(tmp_path)) as connection, connection:
        connection.execute("SELECT * FROM t")
        connection.execute("INSERT INTO t (a) VALUES (?)", (1,))
    assert listener.log == ["SELECT * FROM t", "INSERT INTO t (a) VALUES (?)", "COMMIT", "close"]


def test_an_exception_in_a_with_block_is_told_as_rollback(listener: Listener, tmp_path: Path) -> None:
    with closing(table(tmp_path)) as connection:
        with pytest.raises(ZeroDivisionError), connection:  # noqa: PT012 - the block is what is tried
            connection.execute("INSERT INTO t (a) VALUES (1)")
            raise ZeroDivisionError
        assert listener.log[-1] == "ROLLBACK"
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)


def test_each_row_of_executemany_and_each_statement_of_a_script_is_told(listener: Listener, tmp_path: Path) -> None:
    with closing(table(tmp_path, isolation_level=None)) as connection:
        connection.executemany("INSERT INTO t (a) VALUES (?)", iter([(1,), (2,), (3,)]))
        connection.executescript("BEGIN; UPDATE t SET a = 0; COMMIT;")
    assert listener.log == [
        "INSERT INTO t (a) VALUES (?)",
        "(INSERT INTO t (a) VALUES (2))",
        "(INSERT INTO t (a) VALUES (3))",
        "(BEGIN;)",
        "(UPDATE t SET a = 0;)",
        "(COMMIT;)",
        "close",
    ]


def test_a_trigger_does_not_repeat_its_statement(listener: Listener, tmp_path: Path) -> None:
    with closing(table(tmp_path, isolation_level=None)) as connection:
        connection.execute("CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE t SET a = a + 1; END")
        listener.log.clear()
        connection.execute("INSERT INTO t (a) VALUES (5)")
    assert listener.log == ["INSERT INTO t (a) VALUES (5)", "close"]


def test_what_the_listener_raises_keeps_the_statement_from_running(listener: Listener, tmp_path: Path) -> None:
    with closing(table(tmp_path, isolation_level=None)) as connection:
        listener.stop_at = "INSERT"
        with pytest.raises(Stop):
            connection.execute("INSERT INTO t (a) VALUES (5)")
        listener.stop_at = ""
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)


def test_rows_counts_and_ids_that_the_caller_sees_are_told(listener: Listener, tmp_path: Path) -> None:
    with closing(table(tmp_path, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute("INSERT INTO t (a) VALUES (?), (?)", (7, 8))
        assert [row["a"] for row in connection.execute("SELECT a FROM t ORDER BY a")] == [7, 8]
        connection.execute("SELECT a FROM t ORDER BY a").fetchone()
        connection.execute("SELECT a FROM t ORDER BY a").fetchall()
    counts, rows = [one for one in listener.rows if one[0] in (2, -1)], [one for one in listener.rows if len(one) == 1]
    assert counts[0] == (2, 2)
    assert rows == [(7,), (8,), (7,), (7,), (8,)]


def test_a_statement_that_failed_is_run_again_as_often_as_the_listener_wants(
    listener: Listener, tmp_path: Path
) -> None:
    with closing(table(tmp_path)) as holder, closing(table(tmp_path, timeout=0, isolation_level=None)) as other:
        holder.execute("INSERT INTO t (a) VALUES (1)")
        listener.log.clear()
        listener.again = 2
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        assert listener.log == ["BEGIN IMMEDIATE", *["OperationalError"] * 3]


class Theirs(sqlite3.Connection):
    """A team's own class."""

    def execute(self, sql: str, *arguments: Any) -> Any:
        return super().execute(f"{sql} -- theirs", *arguments)


class TheirCursor(sqlite3.Cursor):
    def fetchone(self) -> Any:
        return "theirs", super().fetchone()


def test_overrides_of_the_code_under_test_come_first(listener: Listener, tmp_path: Path) -> None:
    with closing(table(tmp_path, factory=Theirs)) as connection:
        connection.execute("SELECT 1")
        assert isinstance(connection, Theirs)
        cursor = connection.cursor(TheirCursor)
        cursor.execute("SELECT 2")
        assert cursor.fetchone() == ("theirs", (2,))
    assert listener.log == ["SELECT 1 -- theirs", "SELECT 2", "close"]


def test_statements_of_a_class_that_cannot_be_reached_are_told_by_the_trace(listener: Listener, tmp_path: Path) -> None:
    def make(*arguments: Any, **options: Any) -> sqlite3.Connection:
        return sqlite3.Connection(*arguments, **options)

    with closing(table(tmp_path, factory=make)) as connection, connection:
        assert not listener.rows_seen
        connection.execute("INSERT INTO t (a) VALUES (?)", (1,))
    assert listener.log == ["(BEGIN)", "(INSERT INTO t (a) VALUES (1))", "(COMMIT)"]


def test_the_code_under_test_may_trace_too(listener: Listener, tmp_path: Path) -> None:
    seen: list[str] = []
    with closing(table(tmp_path)) as connection:
        connection.set_trace_callback(seen.append)
        connection.execute("SELECT 1")
    assert seen == ["SELECT 1"]
    assert "SELECT 1" in listener.log


def test_connections_are_as_before_afterwards(tmp_path: Path) -> None:
    real, listener = sqlite3.connect, Listener()
    with HOOK.telling(listener):
        connection = table(tmp_path)
    assert sqlite3.connect is real
    told = list(listener.log)
    with closing(connection), connection:
        connection.execute("INSERT INTO t (a) VALUES (?)", (1,))
        connection.executemany("INSERT INTO t (a) VALUES (?)", [(1,)])
    assert listener.log == told


def test_one_listener_at_a_time(listener: Listener) -> None:
    with pytest.raises(RuntimeError, match="listener already"), HOOK.telling(listener):
        pass
