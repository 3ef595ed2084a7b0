"""What the server says of the work of others: rows read, and rows deleted by each transaction."""

from __future__ import annotations

from contextlib import closing

import pytest

from pytest_taskq.subject import NotJudgedError, Subject, UnsupportedError
from pytest_taskq.subject.invocation import Invoker

psycopg = pytest.importorskip("psycopg")
meter = pytest.importorskip("pytest_taskq.postgres.meter")
deletions = pytest.importorskip("pytest_taskq.postgres.deletions")
stores = pytest.importorskip("pytest_taskq.postgres.stores")


@pytest.fixture
def store(tmp_path, postgres_server):
    from pytest_taskq import QueueAdapter

    made = stores.SchemaStores(Subject("tests:Adapter", QueueAdapter), tmp_path, postgres_server)
    store = made.fresh(Invoker())
    with psycopg.connect(store.dsn) as connection:
        connection.execute(
            "INSERT INTO task_queue (type, payload, status, finished_at_utc) "
            "SELECT 'job', '{}', 'completed', now() FROM generate_series(1, 1000)"
        )
    with psycopg.connect(store.dsn, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE) task_queue")
    yield store
    made.discard(store)
    made.close()


def run(store, *statements):
    with psycopg.connect(store.dsn, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


# --- rows read --------------------------------------------------------------------------------------------------------


def read(store, *statements):
    store.end_connections()
    with closing(meter.RowMeter(store)) as rows:
        run(store, *statements)
        store.end_connections()
        return dict(rows.read())


def test_a_scan_reads_every_row_and_an_index_one(store):
    assert read(store, "SELECT * FROM task_queue WHERE payload = 'x'") == {"task_queue, row by row": 1000}
    assert read(store, "SELECT * FROM task_queue WHERE id = 7") == {"task_queue, through task_queue_pkey": 1}


def test_the_same_statement_reads_the_same_rows(store):
    statement = "SELECT max(payload) FROM task_queue WHERE id = ANY (ARRAY(SELECT generate_series(10, 30)))"
    assert read(store, statement) == read(store, statement) == {"task_queue, through task_queue_pkey": 21}


def test_what_a_function_reads_is_counted(store):
    block = "DO $$ BEGIN PERFORM count(*) FROM task_queue WHERE payload = 'x'; END $$"
    assert read(store, block) == {"task_queue, row by row": 1000}


def test_the_clock_of_the_kit_is_not_counted(store):
    assert read(store, "SELECT now()") == {}


def test_what_is_undone_was_read_all_the_same(store):
    assert read(store, "BEGIN", "SELECT * FROM task_queue WHERE payload = 'x'", "ROLLBACK") == {
        "task_queue, row by row": 1000
    }


def test_a_server_that_does_not_count_is_unsupported(store, monkeypatch):
    monkeypatch.setattr(meter.RowMeter, "_setting", lambda *_: "off")
    with pytest.raises(UnsupportedError, match="track_counts=off"):
        meter.RowMeter(store)


# --- rows deleted -----------------------------------------------------------------------------------------------------


def deleted(store, *statements):
    with closing(store.connect()) as sql, deletions.deletions_noted(sql) as noted:
        run(store, *statements)
    return list(noted.each), noted


def batch(first, last):
    return f"DELETE FROM task_queue WHERE id BETWEEN {first} AND {last}"


def test_each_transaction_is_seen_with_what_it_took(store):
    taken, noted = deleted(store, batch(1, 400), batch(401, 401), batch(402, 901))
    assert taken == [400, 1, 500]
    assert noted.number == 3
    assert noted.largest_loss(400) == (3, 500)
    assert noted.largest_loss(500) is None


def test_many_statements_of_one_transaction_are_one_step(store):
    steps = [part for n in range(3) for part in (f"SAVEPOINT s{n}", batch(200 * n + 1, 200 * n + 200))]
    assert deleted(store, "BEGIN", *steps, "COMMIT")[0] == [600]


def test_what_was_rolled_back_is_no_step(store):
    assert deleted(store, "BEGIN", batch(1, 900), "ROLLBACK", batch(1, 10))[0] == [10]


def test_triggers_that_are_switched_off_are_no_way_past(store):
    assert deleted(store, "SET session_replication_role = replica", batch(1, 900))[0] == [900]


def test_rows_that_go_unseen_are_not_judged(store):
    with pytest.raises(NotJudgedError, match="1000 tasks are gone, and the deletion of 0 was seen"):
        deleted(store, "TRUNCATE task_queue CASCADE")


def test_the_schema_is_as_before_afterwards(store):
    before = store.objects()
    deleted(store)
    assert store.objects() == before
