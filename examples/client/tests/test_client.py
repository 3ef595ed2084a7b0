from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import shopqueue
from shopqueue import Order

from pytest_taskq.reference_impl import Queue

if TYPE_CHECKING:
    from pytest_taskq.clock import VirtualClock
    from pytest_taskq.fixtures import RunWorkers
    from pytest_taskq.reference_impl import QueueDatabase, TaskClaimer


def test_a_worker_gets_the_payload_that_was_ordered(queue_db: QueueDatabase, worker_claimer: TaskClaimer) -> None:
    payload = {"order": 7, "lines": [{"article": "Äpfel", "pieces": 2}]}
    task_id = shopqueue.enqueue(queue_db, Order("ship", payload))
    task = worker_claimer.claim_task("w1", {}, 60)
    assert task is not None
    assert (task.id, task.get_payload_dict()) == (task_id, payload)


def test_a_delayed_task_waits_for_its_time(
    queue_db: QueueDatabase, worker_claimer: TaskClaimer, queue_clock: VirtualClock
) -> None:
    shopqueue.enqueue(queue_db, Order("remind", {}, delay_seconds=30))
    queue_clock.advance(29)
    assert worker_claimer.claim_task("w1", {}, 60) is None
    queue_clock.advance(1)
    assert worker_claimer.claim_task("w1", {}, 60) is not None


def test_all_who_order_with_one_key_at_once_get_the_same_task(queue_db: QueueDatabase, run_workers: RunWorkers) -> None:
    ids = run_workers(lambda n: shopqueue.enqueue(queue_db, Order("bill", {"n": n}, idempotency_key="o-7")), copies=4)
    assert len(set(ids)) == 1


def test_a_key_is_good_for_one_task_even_when_that_was_deleted(
    queue_db: QueueDatabase, worker_claimer: TaskClaimer, queue_clock: VirtualClock
) -> None:
    order = Order("bill", {}, idempotency_key="o-7")
    first = shopqueue.enqueue(queue_db, order)
    task = worker_claimer.claim_task("w1", {}, 60)
    assert task is not None
    assert Queue(queue_db).complete_task(task, "w1")
    queue_clock.advance(10)
    assert Queue(queue_db).delete_finished(5) == 1
    assert shopqueue.enqueue(queue_db, order) == first
    assert shopqueue.get(queue_db, first) is None


def test_a_task_goes_with_the_transaction_it_was_ordered_in(queue_db: QueueDatabase) -> None:
    ordered = []

    def order_and_break_off() -> None:
        with queue_db.transaction() as tx:
            ordered.append(shopqueue.enqueue_within(tx, Order("bill", {})))
            raise RuntimeError("the shop could not store the order itself")

    with pytest.raises(RuntimeError):
        order_and_break_off()
    assert shopqueue.get(queue_db, ordered[0]) is None


def test_one_order_without_meaning_stops_the_whole_batch(queue_db: QueueDatabase) -> None:
    with pytest.raises(ValueError, match="type must not be empty"):
        shopqueue.enqueue_all(queue_db, (Order(type_, {}) for type_ in ("bill", "")))
    assert shopqueue.get(queue_db, 1) is None


def test_only_a_task_that_waits_can_be_cancelled(queue_db: QueueDatabase, worker_claimer: TaskClaimer) -> None:
    claimed, waiting = shopqueue.enqueue_all(queue_db, [Order("ship", {}), Order("ship", {})])
    assert worker_claimer.claim_task("w1", {}, 60) is not None
    assert not shopqueue.cancel(queue_db, claimed)
    assert shopqueue.cancel(queue_db, waiting)
    assert worker_claimer.claim_task("w1", {}, 60) is None


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("type", b"ship"),
        ("type", "\ud800"),
        ("payload", {"at": float("nan")}),
        ("payload", {7: "a key that would become a text"}),
        ("payload", ("a tuple", "would become a list")),
        ("priority", 2**63),
        ("delay_seconds", float("inf")),
        ("delay_seconds", True),
        ("max_attempts", 0),
        ("idempotency_key", ""),
        ("compatibility", [("gpu", True)]),
    ],
)
def test_what_has_no_meaning_is_refused_by_name(queue_db: QueueDatabase, argument: str, value: Any) -> None:  # noqa: ANN401 - any
    with pytest.raises((TypeError, ValueError), match=argument):
        shopqueue.enqueue(queue_db, Order(**{"type": "ship", "payload": {}, argument: value}))
