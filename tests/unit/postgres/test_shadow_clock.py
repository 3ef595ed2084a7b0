from __future__ import annotations

from datetime import timedelta

import pytest

from pytest_taskq.postgres.clock import ShadowClock
from pytest_taskq.postgres.server import schema_of_its_own

psycopg = pytest.importorskip("psycopg")


@pytest.fixture
def place(postgres_server):
    with schema_of_its_own(postgres_server) as place:
        yield place


@pytest.fixture
def clock(postgres_server, place):
    clock = ShadowClock(postgres_server, place[1]).install()
    yield clock
    clock.close()


@pytest.fixture
def connection(place, clock):  # noqa: ARG001 - the clock is there before anything else
    with psycopg.connect(place[0], autocommit=True) as connection:
        yield connection


def off(connection, time):
    """How far a time is from the server's own, to the hour: what the clock was moved by, whatever the test took."""
    [ahead] = connection.execute(f"SELECT {time} - pg_catalog.now()").fetchone()
    return round(ahead / timedelta(hours=1))


def test_what_calls_now_unqualified_is_moved_and_what_does_not_is_not(connection, clock):
    assert off(connection, "now()") == 0
    clock.advance(7200)
    assert off(connection, "now()") == 2
    for time in ("clock_timestamp()", "statement_timestamp()", "transaction_timestamp()"):
        assert off(connection, time) == 2
    for time in ("pg_catalog.now()", "CURRENT_TIMESTAMP", "LOCALTIMESTAMP::timestamptz"):
        assert off(connection, time) == 0


def test_defaults_triggers_and_functions_made_after_the_clock_follow_it(connection, clock):
    connection.execute("""
        CREATE TABLE t (n int, at timestamptz DEFAULT now(), late boolean);
        CREATE FUNCTION say() RETURNS timestamptz LANGUAGE plpgsql AS 'BEGIN RETURN now(); END';
        CREATE FUNCTION mark() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.late := true; RETURN NEW; END';
        CREATE TRIGGER mark BEFORE INSERT ON t FOR EACH ROW
            WHEN (now() > pg_catalog.now() + interval '1 hour') EXECUTE FUNCTION mark();
    """)
    assert off(connection, "say()") == 0  # and its plan is kept from here on
    connection.execute("INSERT INTO t (n) VALUES (1)")
    clock.advance(7200)
    connection.execute("INSERT INTO t (n) VALUES (2)")
    assert off(connection, "say()") == 2
    assert [off(connection, f"(SELECT at FROM t WHERE n = {n})") for n in (1, 2)] == [0, 2]
    assert connection.execute("SELECT late FROM t ORDER BY n").fetchall() == [(None,), (True,)]


def test_every_connection_reads_the_same_clock_also_inside_a_transaction(place, connection, clock):
    with psycopg.connect(place[0]) as inside:
        assert off(inside, "now()") == 0
        clock.advance(3600)
        assert off(inside, "now()") == off(connection, "now()") == 1


def test_a_clock_that_stands_still_moves_by_what_it_is_told_and_goes_on_after_a_reset(connection, clock):
    def shown():
        return connection.execute("SELECT now()").fetchone()[0]

    clock.stand_still()
    stood = shown()
    connection.execute("SELECT pg_sleep(0.01)")
    clock.stand_still()
    assert shown() == stood
    clock.advance(1.25)
    assert shown() - stood == timedelta(seconds=1.25)
    clock.reset()
    assert off(connection, "now()") == 0
    assert shown() != shown()


def test_another_schema_keeps_its_time(postgres_server, clock):
    clock.advance(7200)
    with schema_of_its_own(postgres_server) as (dsn, _), psycopg.connect(dsn) as elsewhere:
        assert off(elsewhere, "now()") == 0
