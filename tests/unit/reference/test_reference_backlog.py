"""What many rows at once must not change on SQLite: order, law, and that no transaction does all the work."""

from __future__ import annotations

import pytest

from pytest_taskq.reference_impl import maintenance, weighted

PLAIN = "INSERT INTO task_queue (type, status, priority, payload) VALUES ('raw', 'queued', ?, '1')"
EVERY = ["fifo", "lifo", "priority", "weighted_random"]


@pytest.fixture
def store(sqlite_store):
    return sqlite_store


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    whole = f"LIMIT {maintenance.BATCH}"
    monkeypatch.setattr(maintenance, "BATCH", 3)
    monkeypatch.setattr(maintenance.Maintenance, "_reclaimed_at_once", 3)
    for name in ("_REQUEUE", "_GIVE_UP", "_PROMOTE"):
        monkeypatch.setattr(maintenance, name, getattr(maintenance, name).replace(whole, "LIMIT 3"))
        assert "LIMIT 3" in getattr(maintenance, name)


@pytest.fixture
def transactions(db, monkeypatch):
    """The number of transactions so far, in a list of one."""
    begun = [0]
    transaction = db.transaction

    def counted():
        begun[0] += 1
        return transaction()

    monkeypatch.setattr(db, "transaction", counted)
    return begun


def claimed(queue, strategy, count):
    return [queue.claim_by(strategy, "w", {}, 600).id for _ in range(count)]


@pytest.mark.parametrize(("strategy", "order"), [("fifo", range(1, 11)), ("lifo", range(10, 0, -1))])
def test_tasks_that_come_due_at_once_are_served_in_order(queue, sql, pass_time, transactions, strategy, order):
    for number in range(10):
        queue.enqueue("t", number, delay_seconds=100 - number)  # the first is the last to come due
    pass_time(200)
    sql("UPDATE task_queue SET created_at_utc = datetime(created_at_utc, '-200 seconds')")
    before = transactions[0]
    assert claimed(queue, strategy, 1) == [order[0]]
    assert transactions[0] - before == 4  # three times three, and then the rest with the claim
    assert claimed(queue, strategy, 9) == list(order[1:])


@pytest.mark.parametrize("strategy", EVERY)
def test_leases_that_are_over_at_once_are_all_taken_back(queue, pass_time, transactions, strategy):
    queue.enqueue_many([{"type": "t", "payload": number} for number in range(10)])
    assert len(queue.claim_many(10, "w", {}, 60)) == 10
    pass_time(100)
    before = transactions[0]
    assert len(set(claimed(queue, strategy, 10))) == 10
    assert transactions[0] - before > 10
    assert queue.claim_by(strategy, "w", {}, 60) is None


def test_reclaiming_counts_over_all_batches(queue, pass_time):
    queue.enqueue_many([{"type": "t", "payload": number, "max_attempts": 1 + number % 2} for number in range(10)])
    queue.claim_many(10, "w", {}, 60)
    pass_time(100)
    assert queue.reclaim_expired() == 10
    assert queue.queue_stats() | {"queued": 5, "failed": 5} == queue.queue_stats()


@pytest.mark.parametrize("strategy", EVERY)
def test_a_row_behind_many_that_are_put_aside_is_served(queue, sql, strategy):
    for number in range(10):
        queue.enqueue("t", number)
    sql("UPDATE task_queue SET run_after_utc = datetime('now', '+1 day'), created_at_utc = datetime('now', '+1 day')")
    task_id = queue.enqueue("t", "behind")
    for number in range(10):
        queue.enqueue("t", number)
    sql("UPDATE task_queue SET attempts = 5 WHERE id <> ?", task_id)
    assert claimed(queue, strategy, 1) == [task_id]
    assert queue.claim_by(strategy, "w", {}, 600) is None


@pytest.mark.parametrize("strategy", EVERY)
def test_plain_rows_need_no_transaction_of_their_own(queue, sql, transactions, strategy):
    for _ in range(10):
        sql(PLAIN, 0)
    before = transactions[0]
    assert len(set(claimed(queue, strategy, 10))) == 10
    assert transactions[0] - before == 10


def test_a_plain_row_without_a_time_of_creation_is_served(queue, sql):
    sql(PLAIN, 1)
    sql("UPDATE task_queue SET created_at_utc = NULL")
    assert claimed(queue, "fifo", 1) == [1]


def test_a_plain_row_that_is_put_off_is_not_a_candidate(queue, sql):
    sql(PLAIN, 1)
    sql("UPDATE task_queue SET run_after_utc = datetime('now', '+1 day')")
    assert queue.claim_by("fifo", "w", {}, 600) is None
    assert sql("SELECT ready FROM task_queue")[0][0] is None  # nobody had to note it


def test_ids_too_far_apart_to_be_sampled_are_served(queue, sql, monkeypatch):
    monkeypatch.setattr(weighted, "FEW", 0)
    sql("INSERT INTO task_queue (id, type, payload) VALUES (1, 't', '1'), (9000000000000, 't', '1')")
    assert set(claimed(queue, "weighted_random", 2)) == {1, 9_000_000_000_000}


def test_nothing_that_a_worker_can_do_is_nothing_however_many_there_are(queue, monkeypatch):
    monkeypatch.setattr(weighted, "FEW", 0)
    queue.enqueue_many([{"type": "t", "payload": number, "compatibility": {"gpu": 1}} for number in range(10)])
    assert queue.claim_by("weighted_random", "w", {}, 600) is None
    assert queue.claim_by("weighted_random", "w", {"gpu": 1}, 600) is not None
