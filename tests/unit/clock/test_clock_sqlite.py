from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pytest_taskq.clock import VirtualClock

if TYPE_CHECKING:
    from collections.abc import Callable

START = "2030-12-31 23:59:50"
SUBSEC = sqlite3.sqlite_version_info >= (3, 42, 0)
TIMEDIFF = sqlite3.sqlite_version_info >= (3, 43, 0)


def one(connection: sqlite3.Connection, expression: str, *parameters: object) -> object:
    return connection.execute(f"SELECT {expression}", parameters).fetchone()[0]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("datetime('now')", START),
        ("datetime('NoW')", START),
        ("datetime(x'6e6f77')", START),
        ("datetime()", START),
        ("date('now')", "2030-12-31"),
        ("date()", "2030-12-31"),
        ("time('now')", "23:59:50"),
        ("time()", "23:59:50"),
        ("julianday('now')", 2462867.4998842594),
        ("julianday()", 2462867.4998842594),
        ("strftime('%s')", "1924991990"),
        ("strftime('%s', 'now')", "1924991990"),
        ("strftime('%Y-%j %f', 'now')", "2030-365 50.000"),
        ("CURRENT_TIMESTAMP", START),
        ("current_timestamp", START),
        ("CURRENT_DATE", "2030-12-31"),
        ("CURRENT_TIME", "23:59:50"),
        ("datetime('now', '+10 seconds')", "2031-01-01 00:00:00"),
        ("strftime('%f', 'now', '+1.5 seconds')", "51.500"),
        ("datetime('now', 'start of day')", "2030-12-31 00:00:00"),
        ("datetime('now', 'start of month', '+1 month', '-1 day')", "2030-12-31 00:00:00"),
        ("date('now', 'weekday 0')", "2031-01-05"),
        ("datetime('2020-02-29 01:02:03', '+1 year')", "2021-03-01 01:02:03"),
        ("datetime(0, 'unixepoch')", "1970-01-01 00:00:00"),
        ("datetime('now', 'unixepoch')", None),
        ("datetime('now', 'julianday')", None),
        ("datetime('now', 'no such modifier')", None),
        ("datetime('now', 'now')", None),
        ("datetime(' now')", None),
        ("datetime(NULL)", None),
        ("strftime()", None),
        ("strftime('now')", "now"),
        ("strftime('now', 'now')", "now"),
        ("strftime('%s', NULL)", None),
        ("typeof(julianday('now'))", "real"),
    ],
)
def test_every_date_function_reads_the_virtual_clock(
    connection: sqlite3.Connection, expression: str, expected: object
) -> None:
    assert one(connection, expression) == expected


@pytest.mark.skipif(sqlite3.sqlite_version_info < (3, 38, 0), reason="unixepoch came with SQLite 3.38")
@pytest.mark.parametrize("expression", ["unixepoch()", "unixepoch('now')", "unixepoch('now', 'auto')"])
def test_unixepoch_reads_the_virtual_clock(connection: sqlite3.Connection, expression: str) -> None:
    assert one(connection, expression) == 1924991990


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("datetime('now', 'subsec')", START + ".123"),
        ("datetime('subsec')", START + ".123"),
        ("time('SUBSECOND')", "23:59:50.123"),
        ("unixepoch('subsec')", 1924991990.123),
        ("datetime('subsec', 'auto', '+10 seconds')", "2031-01-01 00:00:00.123"),
    ],
)
def test_subsec_is_milliseconds_of_the_virtual_clock_or_null_as_in_the_library(
    clock: VirtualClock, connection: sqlite3.Connection, expression: str, expected: object
) -> None:
    clock.advance(0.123)
    assert one(connection, expression) == (expected if SUBSEC else None)


def test_timediff_reads_the_virtual_clock_or_is_missing_as_in_the_library(connection: sqlite3.Connection) -> None:
    if TIMEDIFF:
        assert one(connection, "timediff('now', '2030-12-31')") == "+0000-00-00 23:59:50.000"
        assert one(connection, "timediff('2030-12-31', 'now')") == "-0000-00-00 23:59:50.000"
    else:
        with pytest.raises(sqlite3.OperationalError, match="no such function: timediff"):
            one(connection, "timediff('now', 'now')")


def test_a_bound_now_is_the_virtual_moment(connection: sqlite3.Connection) -> None:
    assert one(connection, "datetime(?, ?)", "now", "+10 seconds") == "2031-01-01 00:00:00"


def test_every_millisecond_reaches_sqlite_exactly(clock: VirtualClock, connection: sqlite3.Connection) -> None:
    clock.advance(10)  # 1.001 * 1000 is below 1001 in binary, 51.001 * 1000 is not
    for _ in range(1500):
        clock.advance(0.001)
        milliseconds = one(connection, "CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)")
        fraction = one(connection, "strftime('%f', 'now', '+0 days')")
        assert (milliseconds, fraction) == (clock.milliseconds, f"{clock.milliseconds % 60_000 / 1000:06.3f}")


def test_the_same_prepared_statement_sees_the_clock_move(clock: VirtualClock, connection: sqlite3.Connection) -> None:
    seen = []
    for _ in range(3):
        seen.append(one(connection, "datetime('now')"))
        clock.advance(5)
    assert seen == [START, "2030-12-31 23:59:55", "2031-01-01 00:00:00"]


def test_now_is_constant_within_a_statement(clock: VirtualClock, connection: sqlite3.Connection) -> None:
    connection.create_function("advance", 1, clock.advance)
    query = "WITH n(i) AS (VALUES (1) UNION ALL SELECT i + advance(3) IS NULL FROM n LIMIT 3) SELECT datetime('now'), "
    rows = connection.execute(f"{query} CURRENT_TIMESTAMP FROM n ORDER BY i").fetchall()
    assert rows == [rows[0]] * 3
    assert rows[0][0] == rows[0][1]


def test_defaults_and_triggers_read_the_virtual_clock(clock: VirtualClock, connection: sqlite3.Connection) -> None:
    connection.executescript("""
        CREATE TABLE task (id INTEGER PRIMARY KEY, a DEFAULT CURRENT_TIMESTAMP, b DEFAULT (datetime('now')), c);
        CREATE TRIGGER stamp AFTER INSERT ON task BEGIN
            UPDATE task SET c = strftime('%s', 'now') WHERE id = new.id;
        END;
    """)
    connection.execute("INSERT INTO task (id) VALUES (1)")
    clock.advance(60)
    connection.execute("INSERT INTO task (id) VALUES (2)")
    assert connection.execute("SELECT * FROM task").fetchall() == [
        (1, START, START, "1924991990"),
        (2, "2031-01-01 00:00:50", "2031-01-01 00:00:50", "1924992050"),
    ]


def test_indexes_and_generated_columns_on_date_functions_work(connection: sqlite3.Connection) -> None:
    connection.executescript("""
        CREATE TABLE task (at, day AS (date(at)) STORED, late AS (datetime(at, '+1 hour')) VIRTUAL);
        CREATE INDEX by_hour ON task (strftime('%H', at));
        CREATE INDEX partial ON task (at) WHERE julianday(at) > 0;
        INSERT INTO task (at) VALUES ('2030-12-31 23:30:00');
    """)
    assert connection.execute("SELECT day, late FROM task WHERE strftime('%H', at) = '23'").fetchall() == [
        ("2030-12-31", "2031-01-01 00:30:00")
    ]
    plan = connection.execute("EXPLAIN QUERY PLAN SELECT * FROM task WHERE strftime('%H', at) = '23'").fetchone()
    assert "by_hour" in plan[-1]


def test_a_database_with_such_an_index_made_in_real_time_opens(means: str, tmp_path: os.PathLike[str]) -> None:
    path = os.fspath(tmp_path) + "/queue.db"
    with closing(sqlite3.connect(path)) as real:
        real.executescript("CREATE TABLE task (at); CREATE INDEX i ON task (datetime(at)) WHERE datetime(at) > '2000'")
    with VirtualClock(means=means), closing(sqlite3.connect(path, isolation_level=None)) as virtual:
        virtual.execute("INSERT INTO task VALUES (datetime('now'))")
        assert virtual.execute("SELECT datetime(at) FROM task WHERE datetime(at) > '2000'").fetchall() == [(START,)]


def test_localtime_and_utc_follow_the_time_zone(connection: sqlite3.Connection, zone: Callable[[str], None]) -> None:
    zone("ODD-05:45")
    assert one(connection, "datetime('now', 'localtime')") == "2031-01-01 05:44:50"
    assert one(connection, "datetime('now', 'localtime', 'utc')") == START
    # SQLite took 'now' for local time here until 3.46, which made it a no-op.
    knows_utc = sqlite3.sqlite_version_info >= (3, 46, 0)
    assert one(connection, "datetime('now', 'utc')") == (START if knows_utc else "2030-12-31 18:14:50")


def test_moments_before_1970_and_in_far_years_reach_sqlite(means: str) -> None:
    far = datetime(9999, 12, 31, 23, 59, 59, 999_000, UTC)
    for start in (datetime(1, 1, 1, tzinfo=UTC), datetime(1969, 7, 20, 20, 17, 40, 500_000, UTC), far):
        with VirtualClock(start, means=means), closing(sqlite3.connect(":memory:")) as connection:
            expected = start.isoformat(" ", "milliseconds").removesuffix("+00:00")
            assert one(connection, "strftime('%Y-%m-%d %H:%M:%f', 'now')") == expected


def test_another_thread_with_its_own_connection_sees_every_advance(clock: VirtualClock) -> None:
    seen: list[object] = []
    ready, moved = threading.Event(), threading.Event()

    def worker() -> None:
        with closing(sqlite3.connect(":memory:")) as connection:
            seen.append(one(connection, "datetime('now')"))
            ready.set()
            assert moved.wait(10)
            seen.append(one(connection, "datetime('now')"))

    thread = threading.Thread(target=worker)
    thread.start()
    assert ready.wait(10)
    clock.advance(10)
    moved.set()
    thread.join(10)
    assert seen == [START, "2031-01-01 00:00:00"]


def test_reading_threads_see_the_clock_move_forward_only_while_another_advances(clock: VirtualClock) -> None:
    orderly: list[bool] = []

    def worker() -> None:
        with closing(sqlite3.connect(":memory:")) as connection:
            seen = [one(connection, "julianday('now')") for _ in range(300)]
            orderly.append(seen == sorted(seen))  # type: ignore[type-var]

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(300):
        clock.advance(0.001)
    for thread in threads:
        thread.join(30)
    assert orderly == [True] * 4


def test_a_connection_left_open_reads_real_time_after_the_clock(means: str) -> None:
    with VirtualClock(means=means):
        connection = sqlite3.connect(":memory:")
        assert one(connection, "datetime('now')") == START
    with closing(connection):
        expressions = ("strftime('%s')", "strftime('%s', 'now')", "strftime('%s', CURRENT_TIMESTAMP)")
        for expression in expressions:
            assert abs(int(str(one(connection, expression))) - time.time()) < 60


def test_trusted_schema_off_works_through_the_vfs_and_is_refused_by_functions(
    means: str, connection: sqlite3.Connection
) -> None:
    connection.execute("CREATE TABLE task (id INTEGER PRIMARY KEY, at DEFAULT (datetime('now')))")
    connection.execute("PRAGMA trusted_schema = OFF")
    if means == "vfs":
        connection.execute("INSERT INTO task (id) VALUES (1)")
        assert one(connection, "at FROM task") == START
    else:
        with pytest.raises(sqlite3.OperationalError, match="unsafe use of datetime"):
            connection.execute("INSERT INTO task (id) VALUES (1)")
