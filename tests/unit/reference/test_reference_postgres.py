"""What is so of a server and of no file: ended backends, collisions, rows that others have locked."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import quote

import pytest
from stores import get_over_the_beginning

from pytest_taskq.reference_impl import (
    QueueBusyError,
    QueueDatabaseError,
    QueueOutcomeUnknownError,
    QueueSchemaError,
    SchedulingStrategy,
    TaskClaimerFactory,
    open_database,
    queue_on,
)

psycopg = pytest.importorskip("psycopg")


@pytest.fixture
def store(postgres_store):
    return postgres_store


@pytest.fixture
def admin(store):
    """A connection beside the queue's own."""
    with psycopg.connect(store.dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture
def aside():
    """A thread in which a call can wait while the test goes on."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


def name_of(schema):
    """The application name of the queue's own backends, apart from those of the store and its clock."""
    return f"queue_{schema}"


def end_all_but(admin, schema):
    """Terminate every backend of this test's queue, and wait until they are gone."""
    theirs = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND starts_with(query, '') AND pid = ANY (%s)"
    pids = [
        row[0]
        for row in admin.execute(
            "SELECT DISTINCT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND application_name = %s",
            (name_of(schema),),
        )
    ]
    admin.execute(f"SELECT pg_terminate_backend(pid) {theirs}", (pids,))
    while admin.execute(f"SELECT count(*) {theirs}", (pids,)).fetchone()[0]:
        pass
    return len(pids)


@pytest.fixture
def named(store):
    """The store's database, its backends told apart by their application name."""
    named = open_database(f"{store.dsn}&application_name={name_of(store.schema)}")
    yield named
    named.close()


@pytest.fixture
def queue(named):
    return queue_on(named)


def wait_until_blocked(admin, schema, doing):
    """Return once a statement of the queue waits for a lock; the server says so, no clock does."""
    while not admin.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND cardinality(pg_blocking_pids(pid)) > 0",
        (name_of(schema),),
    ).fetchone()[0]:
        assert not doing.done(), f"it did not wait: {doing.exception() or doing.result()!r}"


@contextmanager
def table_locked(store):
    with psycopg.connect(store.dsn) as connection:
        connection.execute("LOCK TABLE task_queue, task_logs, workers IN ACCESS EXCLUSIVE MODE")
        yield


READS = {
    "get": lambda queue, _: queue.get_task(1).id == 1,
    "stats": lambda queue, _: queue.queue_stats()["leased"] == 1,
    "logs": lambda queue, _: queue.logs(1) == [],
}
WRITES = {
    "enqueue": lambda queue, _: queue.enqueue("t", 1) > 0,
    "enqueue with a key": lambda queue, _: queue.enqueue("t", 1, idempotency_key="k") > 0,
    "enqueue_many": lambda queue, _: len(queue.enqueue_many([{"type": "t", "payload": 1}] * 2)) == 2,
    "claim": lambda queue, _: queue.claim_task("w", {}, 60).id == 2,
    "weighted claim": lambda queue, _: queue.claim_by("weighted_random", "w", {}, 60).id == 2,
    "claim_many": lambda queue, _: [task.id for task in queue.claim_many(9, "w", {}, 60)] == [2],
    "complete": lambda queue, task: queue.complete_task(task, "w"),
    "fail": lambda queue, task: queue.fail_task(task, "w", "e"),
    "give up": lambda queue, task: queue.fail_task(task, "w", "e", retry=False),
    "renew": lambda queue, task: queue.renew_lease(task, "w", 600),
    "cancel": lambda queue, _: queue.cancel_task(2),
    "reclaim": lambda queue, _: queue.reclaim_expired() == 0,
    "heartbeat": lambda queue, _: queue.record_heartbeat("w", {}) is None,
    "log": lambda queue, _: queue.log(1, "info", "m") > 0,
}


@pytest.fixture
def task(queue):
    queue.enqueue("t", 1)
    task = queue.claim_task("w", {}, 600)
    queue.enqueue("t", 2)
    return task


def rows(store):
    return [store.sql(f"SELECT * FROM {table} ORDER BY 1") for table in ("task_queue", "task_logs", "workers")]


@pytest.mark.parametrize("call", [*READS.values(), *WRITES.values()], ids=[*READS, *WRITES])
def test_a_backend_that_ended_between_two_calls_is_replaced(queue, store, admin, task, call):
    assert end_all_but(admin, store.schema) == 1
    assert call(queue, task)


@pytest.mark.parametrize("call", WRITES.values(), ids=WRITES)
def test_a_backend_that_ends_in_the_middle_of_a_write_is_a_clear_error_and_leaves_nothing_half(
    queue, store, admin, aside, task, call
):
    before = rows(store)
    with table_locked(store):
        doing = aside.submit(call, queue, task)
        wait_until_blocked(admin, store.schema, doing)
        end_all_but(admin, store.schema)
        with pytest.raises(QueueOutcomeUnknownError, match="nobody can know whether") as caught:
            doing.result(60)
    assert isinstance(caught.value.__cause__, psycopg.errors.AdminShutdown)
    assert rows(store) == before
    assert call(queue, task)


@pytest.mark.parametrize("call", READS.values(), ids=READS)
def test_a_backend_that_ends_in_the_middle_of_a_read_is_replaced_and_the_read_done_again(
    queue, store, admin, aside, task, call
):
    with table_locked(store):
        doing = aside.submit(call, queue, task)
        wait_until_blocked(admin, store.schema, doing)
        end_all_but(admin, store.schema)
    assert doing.result(60)


def test_a_backend_that_ends_inside_a_transaction_undoes_it_and_says_so(named, queue, store, admin):
    with pytest.raises(QueueDatabaseError, match="undone") as caught, named.transaction() as connection:  # noqa: PT012 - the block is the transaction
        queue.enqueue_in(connection, "t", 1)
        end_all_but(admin, store.schema)
    assert type(caught.value) is QueueDatabaseError
    with pytest.raises(QueueDatabaseError, match=r"lost.*undone"), named.transaction() as connection:  # noqa: PT012 - the same
        end_all_but(admin, store.schema)
        queue.enqueue_in(connection, "t", 1)
    assert queue.queue_stats()["queued"] == 0


def test_a_backend_that_ends_during_commit_leaves_the_outcome_open_and_says_so(named, store, admin, aside):
    admin.execute("""
        CREATE FUNCTION wait_at_commit() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN PERFORM pg_advisory_xact_lock(77); RETURN NULL; END';
        CREATE CONSTRAINT TRIGGER wait_at_commit AFTER INSERT ON workers
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_at_commit();
        SELECT pg_advisory_lock(77);
    """)

    def write():
        with named.transaction() as connection:
            connection.execute("INSERT INTO workers (worker_id) VALUES ('w')")

    try:
        doing = aside.submit(write)
        wait_until_blocked(admin, store.schema, doing)
        end_all_but(admin, store.schema)
        with pytest.raises(QueueOutcomeUnknownError, match="during COMMIT"):
            doing.result(60)
    finally:
        admin.execute("SELECT pg_advisory_unlock(77); DROP FUNCTION wait_at_commit CASCADE")
    write()
    assert len(store.sql("SELECT * FROM workers")) == 1


def test_a_transaction_that_an_error_spoilt_does_not_pass_for_committed(named, store):
    with pytest.raises(QueueDatabaseError, match="nothing of it was stored"), named.transaction() as connection:  # noqa: PT012 - the block is the transaction
        connection.execute("INSERT INTO workers (worker_id) VALUES ('w')")
        with pytest.raises(psycopg.Error):
            connection.execute("SELECT 1 / 0")
    assert store.sql("SELECT * FROM workers") == []


def test_a_call_that_the_server_undid_for_a_deadlock_is_done_again(store, admin, aside):
    impatient = f"{store.dsn}%20-cdeadlock_timeout%3D20ms&application_name={name_of(store.schema)}"
    db = open_database(impatient)
    items = [{"type": "t", "payload": 1, "idempotency_key": key} for key in "ba"]
    insert = "INSERT INTO task_queue (type, payload, idempotency_key) VALUES ('t', '1', %s) RETURNING id"
    with psycopg.connect(f"{store.dsn}%20-cdeadlock_timeout%3D1h") as other:
        first = other.execute(insert, ("a",)).fetchone()[0]
        doing = aside.submit(queue_on(db).enqueue_many, items)
        wait_until_blocked(admin, store.schema, doing)
        second = other.execute(insert, ("b",)).fetchone()[0]  # now each waits for the other; the queue's is undone
    assert doing.result(60) == [second, first]
    assert store.sql("SELECT count(*) FROM task_queue") == [(2,)]
    db.close()


def test_a_call_that_the_server_could_not_serialise_is_done_again(store, admin, aside):
    serializable = "%20-cdefault_transaction_isolation%3Dserializable"
    db = open_database(f"{store.dsn}{serializable}&application_name={name_of(store.schema)}")
    queue = queue_on(db)
    queue.enqueue("t", 1)
    task = queue.claim_task("w", {}, 600)
    with psycopg.connect(store.dsn) as other:
        other.execute("UPDATE task_queue SET priority = 3")
        doing = aside.submit(queue.complete_task, task, "w")
        wait_until_blocked(admin, store.schema, doing)
    assert doing.result(60) is True
    assert (queue.get_task(1).status, queue.get_task(1).priority) == ("completed", 3)
    db.close()


def test_what_is_undone_again_and_again_is_busy_in_the_end(queue, monkeypatch):
    from pytest_taskq.reference_impl.postgres import database

    monkeypatch.setattr(database, "PAUSE", (0, 0))
    with pytest.raises(QueueBusyError, match="collided"), queue.db.writing() as statements:
        statements.execute("DO $$ BEGIN RAISE serialization_failure; END $$")
    assert queue.enqueue("t", 1) == 1


def test_a_lock_held_for_longer_than_the_busy_timeout_is_busy_and_nothing_is_written(store, task):
    impatient = queue_on(store.open(busy_timeout=0.05))
    with table_locked(store), pytest.raises(QueueBusyError, match="busy timeout"):
        impatient.complete_task(task, "w")
    assert impatient.complete_task(task, "w")


def test_a_claim_passes_over_a_row_that_somebody_has_locked(queue, store):
    queue.enqueue_many([{"type": "t", "payload": n} for n in range(2)])
    with psycopg.connect(store.dsn) as other:
        other.execute("SELECT FROM task_queue WHERE id = 1 FOR UPDATE")
        assert queue.claim_by("fifo", "w", {}, 60).id == 2
        assert queue.claim_by("fifo", "w", {}, 60) is None
    assert queue.claim_by("fifo", "w", {}, 60).id == 1


def test_a_task_that_somebody_writes_a_line_about_is_not_passed_over(queue, store):
    queue.enqueue("t", 1)
    with psycopg.connect(store.dsn) as other:
        other.execute("INSERT INTO task_logs (task_id, level, message) VALUES (1, 'info', 'looking at it')")
        assert queue.claim_task("w", {}, 60).id == 1


@pytest.mark.parametrize("bring_back", ["reference_take_back(9)", "reference_tidy(true, 9)"])
def test_a_claim_waits_for_whoever_is_bringing_tasks_back_and_then_sees_them(
    queue, store, admin, aside, pass_time, bring_back
):
    queue.enqueue("t", 1)
    queue.claim_task("dead", {}, 1)
    pass_time(5)
    with psycopg.connect(store.dsn) as other:
        other.execute(f"SELECT {bring_back}")  # uncommitted: its row is locked, and still leased to everybody else
        doing = aside.submit(queue.claim_task, "w", {}, 60)
        wait_until_blocked(admin, store.schema, doing)
    assert doing.result(60).id == 1


def inside_a_transaction(queue):
    with queue.db.transaction() as connection:
        connection.execute("INSERT INTO workers (worker_id) VALUES ('w')")
        task_id = queue.enqueue_in(connection, "t", 2, idempotency_key="k")
    with queue.db.connection() as connection:
        assert len(connection.execute("SELECT * FROM workers").fetchall()) == 1
    return task_id


def test_a_key_whose_task_is_being_deleted_keeps_naming_it(queue, store, admin, aside):
    first = queue.enqueue("t", 1, idempotency_key="k")
    for call in (
        lambda: queue.enqueue("t", 2, idempotency_key="k"),
        lambda: queue.enqueue_many([{"type": "t", "payload": 2, "idempotency_key": "k"}])[0],
        lambda: inside_a_transaction(queue),
    ):
        with psycopg.connect(store.dsn) as other:
            other.execute("DELETE FROM task_queue")
            doing = aside.submit(call)
            wait_until_blocked(admin, store.schema, doing)
        assert doing.result(60) == first
        store.sql("DELETE FROM reference_retired_keys")
        store.sql("INSERT INTO task_queue (id, type, payload, idempotency_key) VALUES (?, 't', '1', 'k')", first)


def test_a_weighted_claim_draws_again_only_for_what_the_clock_has_passed(queue, store):
    queue.enqueue_many([{"type": "t", "payload": n} for n in range(20)])
    drawn = "SELECT id, weighted_from, weighted_draw FROM task_queue WHERE status = 'queued' ORDER BY id"
    before = {row[0]: row for row in store.sql(drawn)}
    served = queue.claim_by("weighted_random", "w", {}, 60).id
    assert store.sql(drawn) == [row for row in before.values() if row[0] != served]
    store.sql("UPDATE task_queue SET weighted_draw = 0 WHERE id = 20")  # arrived, and passed over by others
    queue.claim_by("weighted_random", "w", {}, 60)
    changed = [row[0] for row in store.sql(drawn) if row != before[row[0]]]
    assert changed == [20] or store.sql("SELECT status FROM task_queue WHERE id = 20") == [("leased",)]


class Theirs:
    """Another team's database object: the protocol, and nothing of ours."""

    def __init__(self, dsn):
        from pytest_taskq.reference_impl.postgres.rows import rows_by_name

        self.link = psycopg.connect(dsn, autocommit=True, row_factory=rows_by_name)

    @contextmanager
    def transaction(self):
        with self.link.transaction():
            yield self.link

    @contextmanager
    def connection(self):
        yield self.link

    def close(self):
        self.link.close()


def test_the_queue_works_on_another_teams_database_object_and_tables(fresh_store):
    from pytest_taskq.reference_impl.postgres import schema

    theirs = Theirs(fresh_store.dsn)
    with theirs.transaction() as connection:
        connection.execute(schema.MIGRATIONS[schema.CONTRACT])
        connection.execute("INSERT INTO task_queue (type, payload) VALUES ('t', '1')")
    queue = queue_on(theirs)
    queue.enqueue("t", 2)
    assert [
        TaskClaimerFactory.create(strategy, theirs).claim_task("w", {}, 60).id for strategy in ("lifo", "fifo")
    ] == [
        2,
        1,
    ]
    assert queue.queue_stats()["leased"] == 2
    with theirs.connection() as connection:
        assert schema.is_complete(connection)
    theirs.close()


def test_migrations_are_applied_in_their_order_and_once(fresh_store):
    for _ in range(2):
        fresh_store.open().initialize_schema()
    assert fresh_store.sql("SELECT number FROM reference_migrations ORDER BY number") == [(1,), (2,)]


def test_a_schema_that_is_not_there_is_named(store):
    db = open_database(store.dsn.replace(store.schema, "nowhere"))
    with pytest.raises(QueueSchemaError, match=r"initialize_schema\(\)"):
        queue_on(db).enqueue("t", 1)
    with pytest.raises(QueueSchemaError, match="schema"):
        db.initialize_schema()
    db.close()


def test_a_server_that_does_not_answer_is_named_without_the_password():
    db = open_database("postgresql://me:secret@127.0.0.1:1/none")
    with pytest.raises(QueueDatabaseError, match=r"127\.0\.0\.1:1/none cannot be reached") as caught:
        db.initialize_schema()
    assert "secret" not in str(caught.value) + repr(db)


def test_without_psycopg_the_extra_is_named(monkeypatch):
    for name in [name for name in sys.modules if ".reference_impl.postgres" in name or name == "psycopg"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"pip install 'pytest-taskq\[postgres\]'"):
        open_database("postgresql://x")


@pytest.mark.parametrize(
    ("synchronous", "options", "commits"),
    [("NORMAL", "", "on"), ("NORMAL", "-csynchronous_commit=off", "off"), ("FULL", "-csynchronous_commit=off", "on")],
)
def test_connections_run_with_the_settings(postgres_server, synchronous, options, commits):
    db = open_database(f"{postgres_server}?options={quote(options)}", synchronous=synchronous, busy_timeout=1.5)
    with db.connection() as connection:
        seen = [
            connection.execute(f"SHOW {name}").fetchone()[0]
            for name in ("synchronous_commit", "lock_timeout", "timezone")
        ]
    db.close()
    assert seen == [commits, "1500ms", "UTC"]


@pytest.mark.parametrize("strategy", SchedulingStrategy)
@pytest.mark.parametrize("analyzed_at", [0, 10, 3000])
def test_a_claim_walks_along_an_index_whatever_analyze_found(queue, admin, strategy, analyzed_at):
    from pytest_taskq.reference_impl.postgres import claiming

    queue.enqueue_many([{"type": "t", "payload": n} for n in range(analyzed_at)])
    admin.execute("ANALYZE task_queue")
    queue.enqueue_many([{"type": "t", "payload": n} for n in range(3000)])
    parameters = {"worker": "w", "lease": 1e6, "capabilities": "{}", "tidied": False}
    with queue.db.connection() as connection:
        lines = psycopg.ClientCursor(connection).execute(f"EXPLAIN {claiming._CLAIM_ONE[strategy]}", parameters)
        plan = "\n".join(row[0] for row in lines)
    assert "Seq Scan" not in plan
    assert "Sort" not in plan


def test_no_statement_that_is_planned_while_the_queue_is_empty_scans_it(queue, admin, sql):
    from pytest_taskq.reference_impl.postgres.finishing import PostgresFinishing

    queue.enqueue_many([{"type": "t", "payload": n} for n in range(3000)])
    sql("DELETE FROM task_queue")
    admin.execute("VACUUM ANALYZE task_queue")
    parameters = {"id": 1, "worker": "w", "attempt": 1}
    with queue.db.connection() as connection:
        lines = psycopg.ClientCursor(connection).execute(f"EXPLAIN {PostgresFinishing._complete_sql}", parameters)
        assert "Seq Scan" not in "\n".join(row[0] for row in lines)


def test_threads_that_claim_at_once_get_every_task_once_under_each_isolation(store):
    for isolation in ("read committed", "repeatable read", "serializable"):
        db = open_database(f"{store.dsn}%20-cdefault_transaction_isolation%3D{isolation.replace(' ', '%5C%20')}")
        queue = queue_on(db)
        ids = queue.enqueue_many([{"type": "t", "payload": n} for n in range(40)])
        start = threading.Barrier(4)

        def work(number, queue=queue, start=start):
            start.wait(10)
            claimed = []
            while True:
                try:
                    task = queue.claim_by("fifo", f"w{number}", {}, 600)
                except QueueBusyError:
                    continue
                if task is None:
                    return claimed
                claimed.append(task.id)

        with ThreadPoolExecutor(4) as pool:
            claimed = sorted(task_id for part in pool.map(work, range(4)) for task_id in part)
        db.close()
        assert claimed == ids


@contextmanager
def waiting(queue, aside, seconds=60):
    """Yield a waiter and the wait that it is in; it is told of everything from now on."""
    with queue.waiter() as waiter:
        get_over_the_beginning(waiter)
        yield waiter, aside.submit(waiter.wait, seconds)


def test_nobody_is_told_of_what_makes_no_task_claimable(queue, aside, task):
    with waiting(queue, aside, seconds=0.2) as (_, told):
        queue.renew_lease(task, "w", 600)
        queue.complete_task(task, "w")
        queue.cancel_task(2)
        queue.record_heartbeat("w", {})
        assert told.result(30) is False


def test_a_task_stored_by_a_transaction_that_did_not_see_who_waits_wakes_it_all_the_same(queue, store):
    with psycopg.connect(store.dsn) as other:
        other.execute("INSERT INTO task_queue (type, payload) VALUES ('t', '1')")  # looks for who waits: nobody
        with queue.waiter() as waiter:
            assert queue.claim_task("w", {}, 60) is None
            assert waiter.wait(0.1) is False
            other.commit()
            assert waiter.wait(30) is True
            assert queue.claim_task("w", {}, 60) is not None


def test_nothing_is_sent_while_nobody_waits(queue, admin):
    admin.execute(admin.execute("SELECT 'LISTEN taskq_' || 'task_queue'::regclass::oid").fetchone()[0])
    queue.enqueue("t", 1)
    assert list(admin.notifies(timeout=0.2)) == []
    with queue.waiter():
        queue.enqueue("t", 2)
        assert len(list(admin.notifies(timeout=30, stop_after=1))) == 1
    locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 'task_queue'::regclass"
    while admin.execute(locks).fetchone()[0]:  # the server has yet to notice that the connection was closed
        pass
    queue.enqueue("t", 3)
    assert list(admin.notifies(timeout=0.2)) == []


def test_who_waits_gets_over_an_ended_backend(queue, store, admin, aside):
    with waiting(queue, aside) as (waiter, told):
        end_all_but(admin, store.schema)
        assert told.result(30) is True
        get_over_the_beginning(waiter)  # it began anew
        queue.enqueue("t", 1)
        assert waiter.wait(30) is True


@pytest.mark.parametrize(
    "statement", ["DELETE FROM reference_weighted_clock", "DROP SEQUENCE reference_weighted_clock"]
)
def test_the_server_refuses_to_lose_the_weighted_clock(admin, statement):
    """On SQLite it is a row, which anybody can delete."""
    with pytest.raises((psycopg.errors.WrongObjectType, psycopg.errors.DependentObjectsStillExist)):
        admin.execute(statement)
