from __future__ import annotations

import math
from collections import OrderedDict
from decimal import Decimal

import pytest

REFUSED = [
    ("type", ""),
    ("type", None),
    ("type", 5),
    ("type", "\ud800"),
    ("payload", math.nan),
    ("payload", [math.inf]),
    ("payload", {"a": (1, 2)}),
    ("payload", {1: 2}),
    ("payload", {None: 2}),
    ("payload", b"x"),
    ("payload", {1, 2}),
    ("payload", Decimal(1)),
    ("payload", object()),
    ("payload", 10**5000),
    ("priority", "1"),
    ("priority", 1.0),
    ("priority", True),
    ("priority", 2**63),
    ("priority", 10**5000),
    ("delay_seconds", None),
    ("delay_seconds", "1"),
    ("delay_seconds", math.nan),
    ("delay_seconds", math.inf),
    ("delay_seconds", -0.1),
    ("delay_seconds", True),
    ("delay_seconds", 1e300),
    ("delay_seconds", 10**400),
    ("max_attempts", 0),
    ("max_attempts", 1.0),
    ("max_attempts", None),
    ("max_attempts", False),
    ("max_attempts", 2**63),
    ("idempotency_key", ""),
    ("idempotency_key", 5),
    ("idempotency_key", "\udfff"),
    ("compatibility", []),
    ("compatibility", "{}"),
    ("compatibility", {1: 2}),
    ("compatibility", {"a": math.nan}),
]


@pytest.mark.parametrize(("name", "value"), REFUSED, ids=[f"{name} {n}" for n, (name, _) in enumerate(REFUSED)])
def test_what_has_no_meaning_is_refused_by_name_and_nothing_is_stored(queue, name, value):
    arguments = {"type": "t", "payload": 1} | {name: value}
    for call in (
        lambda: queue.enqueue(**arguments),
        lambda: queue.enqueue_many([{"type": "t", "payload": 1}, arguments]),
    ):
        with pytest.raises((ValueError, TypeError), match=name):
            call()
    assert queue.queue_stats()["queued"] == 0


def nested(depth):
    value: object = 0
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "payload",
    [
        None, True, 0, -0.0, 1e308, 5e-324, "", "ä\0\ud800\U0001f600", [], {}, {"": {"a": [None, False]}}, 2**53 + 1,
        10**4000, nested(100), OrderedDict(a=1), "x" * 1_000_000,
    ],
    ids=lambda value: f"{value!s:.12}" if not isinstance(value, int) else "number",
)  # fmt: skip
def test_a_json_value_comes_back_equal(queue, payload):
    queue.enqueue("t", payload)
    back = queue.claim_task("w", {}, 60).get_payload_dict()
    assert back == payload
    assert isinstance(back, bool) == isinstance(payload, bool)


def test_a_payload_too_deep_or_endless_is_refused(queue):
    endless: list[object] = []
    endless.append(endless)
    for payload in (nested(101), nested(100_000), endless):
        with pytest.raises(ValueError, match="payload is nested deeper than 100"):
            queue.enqueue("t", payload)


@pytest.mark.parametrize(
    ("worker", "capabilities", "lease"),
    [
        ("", {}, 1), (None, {}, 1), (5, {}, 1), ("\ud800", {}, 1), ("w", None, 1), ("w", [], 1), ("w", "{}", 1),
        *(("w", {}, lease) for lease in (None, "1", math.nan, math.inf, 0, -1, True, 1e12)),
    ],
)  # fmt: skip
def test_a_claim_of_no_meaning_is_refused_and_nothing_is_claimed(queue, worker, capabilities, lease):
    queue.enqueue("t", 1)
    for call in (
        lambda: queue.claim_task(worker, capabilities, lease),
        lambda: queue.claim_by("fifo", worker, capabilities, lease),
        lambda: queue.claim_many(1, worker, capabilities, lease),
    ):
        with pytest.raises((ValueError, TypeError)):
            call()
    assert queue.queue_stats()["leased"] == 0


@pytest.mark.parametrize("n", [0, -1, True, None, 1.0])
def test_a_batch_claim_of_no_size_is_refused(queue, n):
    with pytest.raises((ValueError, TypeError), match="n must"):
        queue.claim_many(n, "w", {}, 60)


@pytest.mark.parametrize("lease", [None, "1", math.nan, math.inf, 0, -1, True])
def test_a_renewal_of_no_meaning_is_refused(queue, lease):
    queue.enqueue("t", 1)
    task = queue.claim_task("w", {}, 60)
    with pytest.raises((ValueError, TypeError), match="lease_seconds"):
        queue.renew_lease(task, "w", lease)
    assert queue.get_task(1) == task


@pytest.mark.parametrize("age", [None, "1", math.nan, math.inf, -1, True])
def test_a_cleanup_of_no_meaning_is_refused(queue, age):
    with pytest.raises((ValueError, TypeError), match="older_than_seconds"):
        queue.delete_finished(age)


class Unprintable:
    def __str__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    ("error", "stored"),
    [
        ("a\0b", {"sqlite": "a\0b", "postgres": "a\\x00b"}),
        ("\ud800", "\\ud800"),
        ("'; DROP TABLE task_queue; --", "'; DROP TABLE task_queue; --"),
        ("x" * 1_000_000, "x" * 65536),
        ("ä" * 1_000_000, "ä" * 32768),
        (ValueError("boom"), "boom"),
        (Unprintable(), "<Unprintable, whose str() failed>"),
    ],
    ids=["nul", "surrogate", "sql", "long", "wide", "exception", "unprintable"],
)
def test_any_error_is_recorded_and_releases_the_task(queue, store, error, stored):
    queue.enqueue("t", 1)
    assert queue.fail_task(queue.claim_task("w", {}, 60), "w", error)
    assert queue.get_task(1).error_message == (stored[store.kind] if isinstance(stored, dict) else stored)


@pytest.mark.parametrize("text", ["'", '"; --', "\x01", "a\nb", "%s ? :type", "\U0001f600"])
def test_text_is_data_in_every_field(queue, text):
    task_id = queue.enqueue(text, text, idempotency_key=text)
    assert queue.enqueue("other", 1, idempotency_key=text) == task_id
    task = queue.claim_task(text, {}, 60)
    assert (task.type, task.get_payload_dict(), task.idempotency_key, task.locked_by) == (text, text, text, text)
    assert queue.complete_task(task, text)


def test_nul_in_a_text_is_stored_where_the_database_can_and_refused_where_it_cannot(queue, store):
    calls = {
        "type": lambda: queue.enqueue("a\0b", 1),
        "idempotency_key": lambda: queue.enqueue("t", 1, idempotency_key="a\0b"),
        "worker_id": lambda: queue.claim_task("a\0b", {}, 60),
    }
    for name, call in calls.items():
        if store.kind == "sqlite":
            assert call() is not None
        else:
            with pytest.raises(ValueError, match=f"{name} holds NUL"):
                call()
    assert queue.complete_task(queue.get_task(queue.enqueue("t", 1)), "a\0b") is False
