from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from stores import get_over_the_beginning


@pytest.fixture
def aside():
    with ThreadPoolExecutor(1) as pool:
        yield pool


COMES = {
    "enqueue": lambda queue, _task, _sql: queue.enqueue("t", 1),
    "enqueue_many": lambda queue, _task, _sql: queue.enqueue_many([{"type": "t", "payload": 1}]),
    "a failure to be tried again": lambda queue, task, _sql: queue.fail_task(task, "w", "e"),
    "plain SQL": lambda _queue, _task, sql: sql("INSERT INTO task_queue (type, payload) VALUES ('t', '1')"),
    "plain requeue": lambda _queue, _task, sql: sql("UPDATE task_queue SET status = 'queued'"),
}


@pytest.mark.parametrize("come", COMES.values(), ids=COMES)
def test_who_waits_is_told_when_a_task_comes_or_comes_back(queue, sql, aside, come):
    queue.enqueue("t", 1)
    task = queue.claim_task("w", {}, 600)
    with queue.waiter() as waiter:
        get_over_the_beginning(waiter)
        aside.submit(come, queue, task, sql).result(30)
        assert waiter.wait(30) is True
        assert waiter.wait(0.05) is False


def test_who_waits_wakes_when_a_delay_or_a_lease_ends(queue):
    """Real time, as there is no other for who sleeps; nothing is said of how long it took."""
    queue.enqueue("t", 1, delay_seconds=0.3)
    with queue.waiter() as waiter:
        assert queue.claim_task("w", {}, 0.3) is None
        while (task := queue.claim_task("w", {}, 0.3)) is None:
            assert waiter.wait(30)
        assert task.attempts == 1
        while (task := queue.claim_task("w", {}, 60)) is None:
            assert waiter.wait(30)
        assert task.attempts == 2


def test_who_waits_for_nothing_gets_it(queue):
    queue.enqueue("t", 1, compatibility={"gpu": True})  # there, and not for us
    with queue.waiter() as waiter:
        get_over_the_beginning(waiter)
        assert queue.claim_task("w", {}, 60) is None
        assert waiter.wait(0.05) is False
        assert waiter.wait(0) is False
