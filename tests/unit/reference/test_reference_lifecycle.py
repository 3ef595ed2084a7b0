from __future__ import annotations

import pytest

from pytest_taskq.reference_impl import SchedulingStrategy, TaskClaimerFactory
from pytest_taskq.reference_impl import maintenance as maintenance_module


def test_a_new_task_is_queued_with_the_defaults_of_the_contract(queue):
    task = queue.get_task(queue.enqueue("mail", {"to": "ä"}))
    assert (task.type, task.status, task.priority, task.attempts, task.max_attempts) == ("mail", "queued", 100, 0, 5)
    assert task.get_payload_dict() == {"to": "ä"}
    assert task.compatibility == "{}"
    assert task.lease_until_utc is task.locked_by is task.finished_at_utc is None


def test_a_claim_returns_the_stored_row_with_holder_deadline_and_attempt(queue, store):
    queue.enqueue("mail", 1)
    task = queue.claim_task("w", {}, 60)
    assert task == queue.get_task(task.id)
    assert (task.status, task.locked_by, task.attempts) == ("leased", "w", 1)
    [(lasts,)] = store.sql(
        f"SELECT {store.epoch('lease_until_utc')} - {store.epoch('reserved_at_utc')} FROM task_queue"
    )
    assert 60 <= lasts <= 61


def test_a_claim_of_an_empty_queue_is_none(queue):
    assert queue.claim_task("w", {}, 60) is None


@pytest.mark.parametrize(
    ("strategy", "order"),
    [
        (SchedulingStrategy.FIFO, [1, 2, 3, 4]),
        (SchedulingStrategy.LIFO, [4, 3, 2, 1]),
        (SchedulingStrategy.PRIORITY, [3, 1, 4, 2]),
    ],
)
def test_each_strategy_serves_in_its_order(queue, strategy, order):
    for priority in (5, 9, -7, 5):
        queue.enqueue("t", None, priority=priority)
    assert [queue.claim_by(strategy, "w", {}, 60).id for _ in range(4)] == order


def test_claim_many_serves_at_most_n_in_the_order_of_priority(queue):
    for priority in (5, 9, -7, 5):
        queue.enqueue("t", None, priority=priority)
    assert [task.id for task in queue.claim_many(3, "w", {}, 60)] == [3, 1, 4]
    assert [task.id for task in queue.claim_many(3, "w", {}, 60)] == [2]
    assert queue.queue_stats()["leased"] == 4


def test_a_claimer_serves_by_the_strategy_it_was_made_for(db, queue):
    queue.enqueue("t", 1)
    queue.enqueue("t", 2)
    assert TaskClaimerFactory.create("lifo", db).claim_task("w", {}, 60).id == 2


def test_an_unknown_strategy_is_refused_with_the_known_ones(db, queue):
    for call in (lambda: TaskClaimerFactory.create("best", db), lambda: queue.claim_by("best", "w", {}, 60)):
        with pytest.raises(ValueError, match=r"'best'.*fifo, lifo, priority, weighted_random"):
            call()


def test_a_delayed_task_waits_and_is_then_served(queue, pass_time):
    queue.enqueue("t", 1, delay_seconds=100)
    assert queue.claim_task("w", {}, 60) is None
    pass_time(98)
    assert queue.claim_task("w", {}, 60) is None
    pass_time(3)
    assert queue.claim_task("w", {}, 60) is not None


@pytest.mark.parametrize("lease", [1, 0.001, 1.0005])
def test_a_lease_is_never_cut(queue, sql, store, lease):
    queue.enqueue("t", 1)
    [(before,)] = sql(f"SELECT {store.epoch('{now}')}")
    queue.claim_task("w", {}, lease)
    [(until,)] = sql(f"SELECT {store.epoch('lease_until_utc')} FROM task_queue")
    assert until - before > lease - 0.001  # the resolution of SQLite's clock


@pytest.mark.parametrize("delay", [1, 0.001, 1.0005])
def test_a_delay_is_never_cut(queue, sql, store, delay):
    [(before,)] = sql(f"SELECT {store.epoch('{now}')}")
    queue.enqueue("t", 1, delay_seconds=delay)
    [(due,)] = sql(f"SELECT {store.epoch('run_after_utc')} FROM task_queue")
    assert due - before > delay - 0.001


def test_completion_finishes_the_task_and_releases_it(queue):
    queue.enqueue("t", 1)
    task = queue.claim_task("w", {}, 60)
    assert queue.complete_task(task, "w") is True
    done = queue.get_task(task.id)
    assert (done.status, done.locked_by, done.lease_until_utc) == ("completed", None, None)
    assert done.finished_at_utc is not None
    assert queue.complete_task(task, "w") is False


def test_a_failure_with_attempts_left_waits_for_the_backoff(queue, pass_time):
    queue.enqueue("t", 1)
    assert queue.fail_task(queue.claim_task("w", {}, 60), "w", "boom")
    task = queue.get_task(1)
    assert (task.status, task.error_message, task.locked_by, task.lease_until_utc) == ("queued", "boom", None, None)
    assert queue.claim_task("w", {}, 60) is None
    pass_time(3)
    assert queue.claim_task("w", {}, 60).attempts == 2


@pytest.mark.parametrize(("max_attempts", "retry"), [(1, True), (5, False)])
def test_a_last_failure_is_a_dead_letter_with_its_error(queue, pass_time, max_attempts, retry):
    queue.enqueue("t", 1, max_attempts=max_attempts)
    assert queue.fail_task(queue.claim_task("w", {}, 60), "w", "boom", retry=retry)
    task = queue.get_task(1)
    assert (task.status, task.error_message, task.attempts, task.locked_by) == ("failed", "boom", 1, None)
    assert task.finished_at_utc is not None
    pass_time(1000)
    assert queue.claim_task("w", {}, 60) is None


@pytest.mark.parametrize("attempt", [1, 2, 9, 1000])
def test_the_backoff_lies_in_its_window_whatever_the_attempt(queue, sql, store, attempt):
    queue.enqueue("t", 1, max_attempts=5000)
    sql("UPDATE task_queue SET attempts = ?", attempt - 1)
    queue.fail_task(queue.claim_task("w", {}, 60), "w", "boom")
    [(delay,)] = sql(f"SELECT {store.epoch('run_after_utc')} - {store.epoch('updated_at_utc')} FROM task_queue")
    longest = min(300, 2 ** (attempt - 1))
    assert longest * 0.9 <= round(delay, 3) <= longest + 1


def test_a_lease_that_is_over_is_taken_back_by_the_next_claim(queue, pass_time):
    queue.enqueue("t", 1)
    queue.claim_task("dead", {}, 60)
    assert queue.claim_task("w", {}, 60) is None
    pass_time(62)
    assert queue.claim_task("w", {}, 60).attempts == 2


def test_a_task_that_kills_its_workers_ends_failed_after_max_attempts(queue, pass_time):
    queue.enqueue("t", 1, max_attempts=2)
    for _ in range(2):
        assert queue.claim_task("w", {}, 1) is not None
        pass_time(3)
    assert queue.claim_task("w", {}, 1) is None
    task = queue.get_task(1)
    assert (task.status, task.attempts, task.locked_by) == ("failed", 2, None)
    assert "lease of w was over" in task.error_message


def test_reclaim_counts_exactly_and_keeps_the_place(queue, pass_time):
    for _ in range(4):
        queue.enqueue("t", 1)
    queue.claim_task("w", {}, 1)
    queue.claim_task("w", {}, 1)
    queue.claim_task("w", {}, 600)
    pass_time(3)
    assert (queue.reclaim_expired(), queue.reclaim_expired()) == (2, 0)
    assert queue.claim_by("fifo", "w", {}, 60).id == 1


def test_cancelling_works_once_and_only_while_queued(queue):
    queue.enqueue("t", 1)
    assert [queue.cancel_task(1), queue.cancel_task(1)] == [True, False]
    assert queue.claim_task("w", {}, 60) is None
    queue.enqueue("t", 2)
    queue.claim_task("w", {}, 60)
    assert queue.cancel_task(2) is False


@pytest.mark.parametrize("task_id", [99, 2**70, -1, "1", None, 1.0, True, [1]])
def test_an_id_of_no_task_is_none_and_never_an_error(queue, task_id):
    queue.enqueue("t", 1)
    assert queue.get_task(task_id) is None
    assert queue.cancel_task(task_id) is False


def test_cleanup_deletes_what_finished_before_the_limit_and_not_at_it(queue, sql, store):
    def clean_up():
        sql("DELETE FROM task_queue")
        for age in (9, 10, 11, 12):
            queue.enqueue("t", age)
            queue.complete_task(queue.claim_task("w", {}, 60), "w")
            sql(f"UPDATE task_queue SET finished_at_utc = {store.now(-age)} WHERE payload = '{age}'")
        return queue.delete_finished(10)

    assert store.in_one_moment(clean_up) == 2
    assert [row[0] for row in sql("SELECT payload FROM task_queue ORDER BY id")] == ["9", "10"]


def test_cleanup_leaves_everything_that_is_not_completed(queue, pass_time):
    for index in range(4):
        queue.enqueue("t", index)
    queue.fail_task(queue.claim_task("w", {}, 600), "w", "e", retry=False)
    queue.claim_task("w", {}, 600)
    queue.cancel_task(3)
    pass_time(100)
    assert queue.delete_finished(1) == 0
    assert sum(queue.queue_stats().values()) == 4


def test_cleanup_deletes_in_batches_and_counts_all(queue, sql, store, monkeypatch):
    monkeypatch.setattr(maintenance_module, "BATCH", 3)
    queue.enqueue_many([{"type": "t", "payload": n} for n in range(10)])
    sql(f"UPDATE task_queue SET status = 'completed', finished_at_utc = {store.now(-86400)}")
    assert queue.delete_finished(60) == 10


def test_logs_go_with_their_task(queue, sql, pass_time):
    queue.enqueue("t", 1)
    queue.log(1, "info", "hello", {"a": [1]})
    sql("INSERT INTO task_logs (task_id, level, message) VALUES (1, 'info', 'plain')")
    assert [line.message for line in queue.logs(1)] == ["hello", "plain"]
    queue.complete_task(queue.claim_task("w", {}, 60), "w")
    pass_time(100)
    assert queue.delete_finished(1) == 1
    assert queue.logs(1) == []


def test_statistics_name_every_status(queue):
    assert queue.queue_stats() == {"queued": 0, "leased": 0, "completed": 0, "failed": 0, "cancelled": 0}
    queue.enqueue("t", 1)
    assert queue.queue_stats()["queued"] == 1


def test_a_worker_is_live_until_its_heartbeat_is_too_old(queue, sql, store):
    queue.record_heartbeat("w", {"gpu": 1})
    queue.record_heartbeat("w", {"gpu": 2})
    [worker] = queue.live_workers(60)
    assert (worker.worker_id, worker.get_capabilities_dict()) == ("w", {"gpu": 2})
    sql(f"UPDATE workers SET heartbeat_utc = {store.now(-90)}")
    assert queue.live_workers(60) == []


@pytest.mark.parametrize("fate", ["queued", "completed", "deleted"])
def test_one_key_names_one_task_for_ever(queue, sql, store, fate):
    first = queue.enqueue("t", "first", idempotency_key="k")
    if fate != "queued":
        sql(f"UPDATE task_queue SET status = 'completed', finished_at_utc = {store.now(-86400)}")
    if fate == "deleted":
        assert queue.delete_finished(60) == 1
    assert queue.enqueue("t", "second", idempotency_key="k") == first
    assert (queue.get_task(first) is None) == (fate == "deleted")
    assert queue.enqueue("t", "other", idempotency_key="K") != first


def test_a_batch_is_all_or_nothing_in_order_and_knows_its_own_keys(queue):
    items = [{"type": "t", "payload": n, "idempotency_key": key} for n, key in enumerate(["a", "b", "a"])]
    assert queue.enqueue_many(items) == [1, 2, 1]
    with pytest.raises(ValueError, match="type"):
        queue.enqueue_many([{"type": "t", "payload": 1}, {"type": "", "payload": 1}])
    with pytest.raises(TypeError, match="delay"):
        queue.enqueue_many([{"type": "t", "payload": 1, "delay": 1}])
    assert queue.queue_stats()["queued"] == 2


def test_an_enqueue_inside_a_transaction_goes_the_way_of_the_transaction(db, queue):
    with pytest.raises(ZeroDivisionError), db.transaction() as connection:  # noqa: PT012 - the block is the transaction
        queue.enqueue_in(connection, "t", 1)
        raise ZeroDivisionError
    assert queue.queue_stats()["queued"] == 0
    with db.transaction() as connection:
        queue.enqueue_in(connection, "t", 1, priority=3)
        assert db._held().is_in_transaction()
    assert queue.claim_task("w", {}, 60).priority == 3
