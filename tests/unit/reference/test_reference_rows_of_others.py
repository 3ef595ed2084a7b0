"""Rows that other teams insert or change with plain SQL, good ones and bad ones."""

from __future__ import annotations

import json

import pytest

from pytest_taskq.reference_impl import queue_on
from pytest_taskq.reference_impl.ability import equal_as_json

INSERT = "INSERT INTO task_queue (type, status, priority, payload) VALUES ('raw', 'queued', ?, '1') RETURNING id"
EVERY = ["fifo", "lifo", "priority", "weighted_random"]


@pytest.mark.parametrize("strategy", EVERY)
def test_a_plain_row_is_served_like_an_enqueued_one(queue, sql, strategy):
    queue.enqueue("t", 1)
    sql(INSERT, 100)
    assert {queue.claim_by(strategy, "w", {}, 60).id for _ in range(2)} == {1, 2}


def test_plain_rows_keep_the_order_among_enqueued_ones(queue, sql):
    queue.enqueue("t", 1)
    sql(INSERT, 100)
    queue.enqueue("t", 1)
    assert [queue.claim_by("fifo", "w", {}, 60).id for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize("strategy", EVERY)
def test_a_ready_row_that_others_put_off_waits(queue, sql, store, strategy):
    queue.enqueue("t", 1)
    sql(f"UPDATE task_queue SET run_after_utc = {store.now(100)}")
    queue.enqueue("t", 2)
    assert [queue.claim_by(strategy, "w", {}, 60).id, queue.claim_by(strategy, "w", {}, 60)] == [2, None]
    sql("UPDATE task_queue SET run_after_utc = {now}")
    assert queue.claim_by(strategy, "w", {}, 60).id == 1


def test_a_task_that_others_claimed_and_requeued_is_served_when_it_is_due(queue, sql):
    queue.enqueue("t", 1)
    sql("UPDATE task_queue SET status = 'leased', attempts = 1, locked_by = 'x', lease_until_utc = {now}")
    sql("UPDATE task_queue SET status = 'queued', locked_by = NULL, lease_until_utc = NULL")
    assert queue.claim_task("w", {}, 60).attempts == 2


def test_a_lease_that_others_wrote_is_taken_back_when_it_is_over(queue, sql):
    queue.enqueue("t", 1)
    sql("UPDATE task_queue SET status = 'leased', attempts = 1, locked_by = 'x', lease_until_utc = {now}")
    assert queue.claim_task("w", {}, 60).attempts == 2


NOT_UTF_8 = {  # PostgreSQL stores no such text
    "compatibility not utf-8": "UPDATE task_queue SET compatibility = CAST(x'ff' AS TEXT) WHERE id = 1",
    "payload not utf-8": "UPDATE task_queue SET payload = CAST(x'ff' AS TEXT) WHERE id = 1",
    "error not utf-8": "UPDATE task_queue SET error_message = CAST(x'ff' AS TEXT) WHERE id = 1",
    "text as number": "UPDATE task_queue SET attempts = 'many' WHERE id = 1",
}
BAD = {
    "no json": "UPDATE task_queue SET compatibility = '{' WHERE id = 1",
    "no object": "UPDATE task_queue SET compatibility = '[]' WHERE id = 1",
    "deep": f"UPDATE task_queue SET compatibility = '{'[' * 5000}{']' * 5000}' WHERE id = 1",
    "spent": "UPDATE task_queue SET attempts = 5 WHERE id = 1",
}


@pytest.mark.parametrize("strategy", EVERY)
@pytest.mark.parametrize("damage", BAD.values(), ids=BAD.keys())
def test_a_row_that_cannot_be_served_is_a_dead_letter_and_blocks_nobody(queue, sql, strategy, damage):
    becomes_a_dead_letter(queue, sql, strategy, damage, "error_message")


@pytest.mark.parametrize("strategy", EVERY)
@pytest.mark.parametrize("damage", NOT_UTF_8.values(), ids=NOT_UTF_8.keys())
def test_a_row_of_the_wrong_types_is_a_dead_letter_and_blocks_nobody(sqlite_store, strategy, damage):
    queue = queue_on(sqlite_store.opened[0])
    becomes_a_dead_letter(queue, sqlite_store.sql, strategy, damage, "CAST(error_message AS BLOB)")


def becomes_a_dead_letter(queue, sql, strategy, damage, reason):
    queue.enqueue("t", 1)
    sql(damage)
    queue.enqueue("t", 2)
    assert [queue.claim_by(strategy, "w", {}, 60).id, queue.claim_by(strategy, "w", {}, 60)] == [2, None]
    [row] = sql(f"SELECT status, locked_by, finished_at_utc, {reason} FROM task_queue WHERE id = 1")
    # A weighted or last-in claim may never meet the row before the other task is gone, but the second claim does.
    assert (row[0], row[1]) == ("failed", None)
    assert row[2] is not None
    said = row[3] if isinstance(row[3], str) else row[3].decode(errors="replace")
    assert "never claimed again" in said or "cannot be served" in said


def test_one_unreadable_row_does_not_cost_a_batch_the_others(sqlite_store):
    queue, sql = queue_on(sqlite_store.opened[0]), sqlite_store.sql
    for number in range(3):
        queue.enqueue("t", number)
    sql("UPDATE task_queue SET payload = CAST(x'ff' AS TEXT) WHERE id = 2")
    assert [task.id for task in queue.claim_many(3, "w", {}, 60)] == [1, 3]
    assert queue.queue_stats() | {"leased": 2, "failed": 1} == queue.queue_stats()


@pytest.mark.parametrize(
    "change",
    [
        "compatibility = NULL", "run_after_utc = NULL", "priority = NULL", "attempts = NULL", "max_attempts = NULL",
        "payload = 'not json'", "run_after_utc = '2020-01-01T00:00:00'", "run_after_utc = '2020-01-01 00:00:00.25'",
    ],
)  # fmt: skip
@pytest.mark.parametrize("strategy", EVERY)
@pytest.mark.parametrize("plain", [True, False])
def test_a_row_with_odd_values_that_can_be_served_is_served(queue, sql, change, strategy, plain):
    if plain:
        sql(INSERT, 100)
    else:
        queue.enqueue("t", 1)
    sql(f"UPDATE task_queue SET {change}")
    task = queue.claim_by(strategy, "w", {}, 60)
    assert (task.id, task.attempts) == (1, 1)
    assert queue.complete_task(task, "w")


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (1, 1.0, True), (True, 1, False), (False, 0, False), (True, True, True), ("1", 1, False), (None, None, True),
        (None, False, False), ([1, [2.0]], [1.0, [2]], True), ([1, 2], [2, 1], False), ([1], [1, 2], False),
        ({"a": 1, "b": [True]}, {"b": [True], "a": 1.0}, True), ({"a": True}, {"a": 1}, False), ({}, [], False),
        ({"a": 1}, {"a": 1, "b": 2}, False), (2**60 + 1, float(2**60), False),
    ],
)  # fmt: skip
def test_capabilities_are_compared_as_json(queue, one, other, equal):
    assert equal_as_json(one, other) is equal
    assert equal_as_json(other, one) is equal
    queue.enqueue("t", 1, compatibility={"needs": json.loads(json.dumps(one))})
    assert (queue.claim_task("w", {"needs": other, "more": 1}, 60) is not None) is equal


@pytest.mark.parametrize("strategy", EVERY)
def test_a_worker_gets_a_task_it_can_do_and_leaves_the_others(queue, strategy):
    queue.enqueue("t", 1, compatibility={"gpu": None})
    queue.enqueue("t", 2)
    queue.enqueue("t", 3, compatibility={"gpu": True})
    assert [queue.claim_by(strategy, "w", {}, 60).id, queue.claim_by(strategy, "w", {}, 60)] == [2, None]
    assert queue.claim_by(strategy, "w", {"gpu": True}, 60).id == 3
