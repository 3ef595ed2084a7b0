"""Steps are counted the same each time, on every connection, and nothing stays hooked."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pytest_taskq.instruments.meter import Meter, shape_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    place = tmp_path / "rows.db"
    with closing(sqlite3.connect(place)) as connection, connection:
        connection.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, n)")
        connection.executemany("INSERT INTO rows (n) VALUES (?)", [(n,) for n in range(500)])
    return place


def counted(path: Path, statement: str) -> int:
    meter = Meter(path)
    with meter.running(), closing(sqlite3.connect(path)) as connection:
        connection.execute(statement).fetchall()
    return meter.total


def test_the_same_statement_costs_the_same_steps(path: Path) -> None:
    assert counted(path, "SELECT * FROM rows WHERE id = 7") == counted(path, "SELECT * FROM rows WHERE id = 400")


def test_a_scan_costs_steps_for_each_row(path: Path) -> None:
    assert counted(path, "SELECT * FROM rows WHERE n = 7") > 500 + counted(path, "SELECT * FROM rows WHERE id = 7")


def test_a_connection_that_was_open_before_is_counted(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        meter = Meter(path)
        with meter.running():
            connection.execute("SELECT * FROM rows").fetchall()
        assert meter.total > 500


def test_a_connection_to_another_file_is_not_hooked(path: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE other (n)")
        meter = Meter(path)
        with meter.running():
            connection.execute("SELECT * FROM other").fetchall()
        assert meter.total == 0


def test_nothing_stays_hooked(path: Path) -> None:
    before = sqlite3.connect
    with closing(sqlite3.connect(path)) as connection:
        meter = Meter(path)
        with meter.running():
            connection.execute("SELECT 1").fetchall()
        counted_then = meter.total
        connection.execute("SELECT * FROM rows").fetchall()
        assert meter.total == counted_then
    assert sqlite3.connect is before


def test_literals_do_not_tell_two_runs_of_a_statement_apart() -> None:
    assert shape_of("UPDATE t SET a = 'it''s', n = 4.5\n WHERE id = 17") == "UPDATE t SET a = ?, n = ? WHERE id = ?"
    assert shape_of("SELECT t1.a FROM t1") == "SELECT t1.a FROM t1"
