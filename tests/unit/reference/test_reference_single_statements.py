"""`QueueDatabase.write`: one statement is a transaction of its own, and as safe as one."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextlib import closing

import pytest
from test_reference_database import in_a_fork

from pytest_taskq.reference_impl import Queue, QueueBusyError, QueueDatabaseError, QueueSchemaError

INSERT = "INSERT INTO workers (worker_id) VALUES (?)"
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")


@pytest.fixture
def store(sqlite_store):
    """What this file is about is SQLite's."""
    return sqlite_store


@pytest.fixture
def other(db):
    """The lock's other party: a connection of its own, as another process has."""
    with closing(sqlite3.connect(db.path, isolation_level=None, check_same_thread=False)) as connection:
        yield connection


def workers(connection):
    return [row[0] for row in connection.execute("SELECT worker_id FROM workers ORDER BY worker_id")]


def is_idle(db, other):
    """Whether this thread's connection holds nothing: no transaction, no write lock, no snapshot of the past."""
    with db.connection() as connection:
        assert not connection.in_transaction
        before = workers(connection)
        other.execute("BEGIN IMMEDIATE")
        other.execute(INSERT, ("seen at once",))
        other.execute("COMMIT")
        return len(workers(connection)) == len(before) + 1


def test_a_statement_is_stored_when_it_returns_and_leaves_nothing_open(db, other):
    assert db.write(INSERT, ("a",)).rowcount == 1
    assert workers(other) == ["a"]
    assert is_idle(db, other)


def test_a_statement_that_fails_leaves_nothing_behind_and_its_error_is_named(db, other):
    db.write(INSERT, ("a",))
    with pytest.raises(QueueDatabaseError, match="UNIQUE") as refused:
        db.write("INSERT INTO workers (worker_id) VALUES ('b'), (?)", ("a",))
    assert type(refused.value) is QueueDatabaseError
    assert isinstance(refused.value.__cause__, sqlite3.IntegrityError)
    with pytest.raises(QueueSchemaError, match="unheard_of"):
        db.write("DELETE FROM unheard_of", ())
    with pytest.raises(QueueDatabaseError) as unbound:
        db.write(INSERT, ())
    assert isinstance(unbound.value.__cause__, sqlite3.ProgrammingError)
    assert workers(other) == ["a"]
    assert is_idle(db, other)


def test_what_a_lock_of_others_kept_away_is_stored_once_after_the_wait(db, other):
    refusals = []
    db.write(INSERT, ("warm",))
    other.execute("BEGIN IMMEDIATE")
    pause = threading.Event()

    def release():
        pause.wait(10)
        other.execute("COMMIT")

    holder = threading.Thread(target=release)
    holder.start()
    original = db._patiently

    def patiently(attempt, refusal):  # the lock is let go once it was refused
        refusals.append(refusal)
        pause.set()
        return original(attempt, refusal)

    db._patiently = patiently
    stored = db.write("INSERT INTO task_logs (message) VALUES (?)", ("once",))
    holder.join()
    assert [refusal.sqlite_errorcode & 0xFF for refusal in refusals] == [sqlite3.SQLITE_BUSY]
    assert stored.rowcount == 1
    assert other.execute("SELECT log_id, message FROM task_logs").fetchall() == [(stored.lastrowid, "once")]
    assert is_idle(db, other)


def test_a_lock_held_for_the_whole_timeout_is_busy_with_its_cause_and_nothing_is_stored(store, other):
    impatient = store.open(busy_timeout=0.1)
    impatient.write(INSERT, ("warm",))
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    with pytest.raises(QueueBusyError, match="stayed locked") as busy:
        impatient.write(INSERT, ("late",))
    waited = time.monotonic() - began
    other.execute("COMMIT")
    assert waited >= 0.1
    assert busy.value.__cause__.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
    assert workers(other) == ["warm"]
    assert is_idle(impatient, other)


def test_many_threads_that_write_at_once_lose_nothing_and_store_nothing_twice(store, other):
    dbs = [store.open() for _ in range(4)]
    start = threading.Barrier(len(dbs))
    ids = [[] for _ in dbs]

    def work(db, mine):
        queue = Queue(db)
        mine.append(queue.enqueue("t", 0))
        start.wait(10)
        mine += [queue.enqueue("t", number) for number in range(50)]

    threads = [threading.Thread(target=work, args=pair) for pair in zip(dbs, ids, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    given = [task_id for mine in ids for task_id in mine]
    assert len(given) == 4 * 51
    assert sorted(given) == [row[0] for row in other.execute("SELECT id FROM task_queue ORDER BY id")]


def test_it_is_refused_inside_a_transaction_of_the_thread_which_goes_on(db, queue, other):
    queue.enqueue("t", 1)
    with db.transaction() as connection:
        connection.execute(INSERT, ("outer",))
        for call in (lambda: queue.enqueue("t", 2), lambda: queue.cancel_task(1), lambda: db.write(INSERT, ("in",))):
            with pytest.raises(QueueDatabaseError, match="inside a transaction already"):
                call()
    assert workers(other) == ["outer"]
    assert other.execute("SELECT id, status FROM task_queue").fetchall() == [(1, "queued")]


@pytest.mark.filterwarnings("ignore:get_connection:DeprecationWarning")
def test_a_refusal_inside_a_transaction_of_the_callers_own_leaves_its_patience_alone(db):
    connection = db.get_connection()
    connection.execute("BEGIN")
    with pytest.raises(QueueDatabaseError, match="inside a transaction already"):
        db.write(INSERT, ("in",))
    assert connection.execute("PRAGMA busy_timeout").fetchone()[0] == 5000
    connection.execute("ROLLBACK")


def test_it_works_beside_a_read_that_is_not_at_its_end(db, queue, other):
    for number in range(3):
        queue.enqueue("t", number)
    with db.connection() as connection:
        for row in connection.execute("SELECT id FROM task_queue WHERE id <= 3"):
            queue.cancel_task(row[0])
    assert other.execute("SELECT count(*) FROM task_queue WHERE status = 'cancelled'").fetchone()[0] == 3


@forks
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_child_forked_inside_a_transaction_writes_nothing_into_it(store, other):
    impatient = store.open(busy_timeout=0.05)
    queue = Queue(impatient)
    queue.enqueue("t", 1)

    def child():
        with pytest.raises(QueueBusyError):
            queue.enqueue("t", 2)
        return True

    with impatient.transaction() as connection:
        connection.execute(INSERT, ("parent's",))
        assert in_a_fork(child) == 0
    assert workers(other) == ["parent's"]
    assert other.execute("SELECT count(*) FROM task_queue").fetchone()[0] == 1


def test_a_closed_database_may_be_written_again(db, other):
    db.write(INSERT, ("a",))
    db.close()
    db.write(INSERT, ("b",))
    assert workers(other) == ["a", "b"]


def test_a_row_that_others_refuse_to_store_is_not_said_to_be_stored(queue, sql):
    queue.enqueue("t", 1)
    sql("CREATE TRIGGER theirs BEFORE INSERT ON task_queue WHEN NEW.type = 'no' BEGIN SELECT RAISE(IGNORE); END")
    with pytest.raises(QueueDatabaseError, match="not stored"):
        queue.enqueue("no", 2)
    with pytest.raises(QueueDatabaseError, match="not stored"):
        queue.enqueue("no", 2, idempotency_key="k")
    assert queue.enqueue("t", 3) == 2
