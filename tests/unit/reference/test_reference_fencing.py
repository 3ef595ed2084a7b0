from __future__ import annotations

import dataclasses

import pytest

CALLS = {
    "complete": lambda queue, task, worker: queue.complete_task(task, worker),
    "fail": lambda queue, task, worker: queue.fail_task(task, worker, "late"),
    "give up": lambda queue, task, worker: queue.fail_task(task, worker, "late", retry=False),
    "renew": lambda queue, task, worker: queue.renew_lease(task, worker, 600),
}


def rows(sql):
    return [tuple(row) for row in sql("SELECT * FROM task_queue")]


@pytest.fixture(params=CALLS.values(), ids=CALLS.keys())
def call(request):
    return request.param


@pytest.fixture
def task(queue):
    queue.enqueue("t", 1)
    return queue.claim_task("w", {}, 60)


def refused(call, queue, task, worker, sql):
    before = rows(sql)
    assert call(queue, task, worker) is False
    assert rows(sql) == before


@pytest.mark.parametrize("worker", ["other", "", None, 1, "\ud800"])
def test_another_worker_changes_nothing(call, queue, task, worker, sql):
    refused(call, queue, task, worker, sql)


def test_the_holder_of_an_earlier_attempt_changes_nothing_even_under_its_own_name(call, queue, task, sql, pass_time):
    pass_time(100)
    assert queue.claim_task("w", {}, 60).attempts == 2
    refused(call, queue, task, "w", sql)


def test_a_task_that_was_taken_back_is_no_longer_held(call, queue, task, sql, pass_time):
    pass_time(100)
    assert queue.reclaim_expired() == 1
    refused(call, queue, task, "w", sql)


def test_a_finished_task_stays_as_it_is(call, queue, task, sql):
    queue.complete_task(task, "w")
    refused(call, queue, task, "w", sql)


def test_a_deleted_task_stays_deleted(call, queue, task, sql):
    sql("DELETE FROM task_queue")
    refused(call, queue, task, "w", sql)


def test_a_task_without_its_attempt_is_not_believed(call, queue, task, sql):
    refused(call, queue, dataclasses.replace(task, attempts=None), "w", sql)


def test_a_lease_merely_over_still_counts_while_nobody_took_the_task_back(call, queue, task, pass_time):
    pass_time(100)
    assert call(queue, task, "w") is True


def test_a_renewal_counts_from_now_and_may_shorten(queue, task, sql, store):
    assert queue.renew_lease(task, "w", 5)
    [(left,)] = sql(f"SELECT {store.epoch('lease_until_utc')} - {store.epoch('{now}')} FROM task_queue")
    assert 4 <= left <= 6


@pytest.mark.parametrize("status", ["queued", "completed", "failed", "cancelled"])
def test_a_task_that_others_moved_on_is_not_held_although_its_holder_was_left_in_the_row(
    call, queue, task, sql, status
):
    sql("UPDATE task_queue SET status = ?", status)
    refused(call, queue, task, "w", sql)
