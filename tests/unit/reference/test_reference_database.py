from __future__ import annotations

import gc
import os
import threading

import pytest

from pytest_taskq.reference_impl import (
    Adapter,
    QueueBusyError,
    QueueDatabaseError,
    QueueSchemaError,
    open_database,
    queue_on,
)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"synchronous": "OFF"}, "synchronous.*NORMAL, FULL, EXTRA.*'OFF'"),
        ({"synchronous": 1}, "synchronous"),
        ({"busy_timeout": -1}, "busy_timeout.*0 to 3600.*-1"),
        ({"busy_timeout": float("nan")}, "busy_timeout.*nan"),
        ({"busy_timeout": "5"}, "busy_timeout.*'5'"),
        ({"busy_timeout": None}, "busy_timeout"),
        ({"busy_timeout": True}, "busy_timeout"),
        ({"timeout": 3}, "timeout=3.*synchronous.*busy_timeout"),
    ],
)
def test_a_setting_without_meaning_is_refused_with_key_value_and_range(store, settings, text):
    with pytest.raises(ValueError, match=text):
        open_database(store.dsn, **settings)
    with pytest.raises(ValueError, match=text):
        Adapter(store.dsn).open_database(**settings)


@pytest.mark.parametrize("dsn", ["", "mysql://x", "sqlite:/x", "sqlite://x", "/x.db", None])
def test_another_scheme_is_refused(dsn):
    with pytest.raises(ValueError, match="sqlite:///path"):
        open_database(dsn)


def test_errors_are_told_apart_and_the_cause_chained(db, queue, store, fresh_store):
    impatient = store.open(busy_timeout=0)
    queue.enqueue("t", 1)
    taken = "UPDATE task_queue SET priority = 1"
    with db.transaction() as connection:
        connection.execute(taken)
        with pytest.raises(QueueBusyError) as busy, impatient.transaction() as other:
            other.execute(taken)
    with pytest.raises(QueueSchemaError) as schema:
        queue_on(fresh_store.open()).enqueue("t", 1)
    with pytest.raises(QueueSchemaError), db.connection() as connection:
        connection.execute("SELECT unheard_of FROM task_queue")
    with pytest.raises(QueueDatabaseError) as other, db.transaction() as connection:
        connection.execute("INSERT INTO task_queue (type) VALUES ('t')")
    assert type(other.value) is QueueDatabaseError
    assert all(isinstance(caught.value.__cause__, store.driver_error) for caught in (busy, schema, other))


def test_a_transaction_is_all_or_nothing_and_unseen_before_its_end(db, sql, store):
    with pytest.raises(KeyError), db.transaction() as connection:  # noqa: PT012 - the block is the transaction
        connection.execute("INSERT INTO workers (worker_id) VALUES ('w')")
        with store.open().connection() as reader:
            assert reader.execute("SELECT count(*) FROM workers").fetchone()[0] == 0
        raise KeyError
    assert sql("SELECT * FROM workers") == []


def test_a_nested_transaction_is_refused_and_the_outer_one_undone(db, sql):
    with pytest.raises(QueueDatabaseError, match="inside a transaction already"), db.transaction() as connection:  # noqa: PT012 - the block is the transaction
        connection.execute("INSERT INTO workers (worker_id) VALUES ('w')")
        with db.transaction():
            pass
    assert sql("SELECT * FROM workers") == []


def test_a_transaction_left_open_on_a_read_connection_is_undone_and_named(db, sql):
    with pytest.raises(QueueDatabaseError, match="never committed"), db.connection() as connection:  # noqa: PT012 - the block is the transaction
        connection.execute("BEGIN")
        connection.execute("INSERT INTO workers (worker_id) VALUES ('w')")
    assert sql("SELECT * FROM workers") == []


def test_get_connection_is_deprecated(db):
    with pytest.warns(DeprecationWarning, match="transaction"):
        assert db.get_connection().execute("SELECT 1").fetchone()[0] == 1


def test_a_closed_database_may_be_used_again(db, queue):
    queue.enqueue("t", 1)
    db.close()
    assert queue.claim_task("w", {}, 60) is not None


def test_the_connection_of_an_ended_thread_is_closed(db, store):
    held = []

    def use():
        with db.connection() as connection:
            held.append(connection)

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    gc.collect()
    with pytest.raises(store.driver_error, match="closed"):
        held[0].execute("SELECT 1")


def test_closing_closes_the_connections_of_all_threads(db, store):
    opened, done = threading.Event(), threading.Event()
    held = []

    def use():
        with db.connection() as connection:
            held.append(connection)
        opened.set()
        done.wait(10)

    thread = threading.Thread(target=use)
    thread.start()
    opened.wait(10)
    db.close()
    with pytest.raises(store.driver_error, match="closed"):
        held[0].execute("SELECT 1")
    done.set()
    thread.join()


def in_a_fork(work):
    """Run ``work`` in a forked child; return its exit code, 0 if it returned True."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if work() else 2
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")  # xdist's own threads
def test_a_forked_child_uses_a_connection_of_its_own(db, queue, sql):
    queue.enqueue("t", 1)
    with db.connection() as connection:
        inherited = connection

    def child():
        queue.enqueue("t", 2)
        with db.connection() as connection:
            own = connection is not inherited
        db.close()
        return own and inherited.execute("SELECT 1").fetchone()[0] == 1  # still open: left alone, not closed

    assert in_a_fork(child) == 0
    assert sql("SELECT count(*) FROM task_queue")[0][0] == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_child_forked_inside_a_transaction_cannot_end_it(db, sql):
    with db.transaction() as connection:
        connection.execute("INSERT INTO workers (worker_id) VALUES ('w')")
        held = db._held()

        def child():
            with pytest.raises(QueueDatabaseError, match="forked inside"):
                held.refuse_if_forked()
            held.roll_back()
            return not held.closed  # neither committed nor rolled back

        assert in_a_fork(child) == 0
    assert len(sql("SELECT * FROM workers")) == 1
