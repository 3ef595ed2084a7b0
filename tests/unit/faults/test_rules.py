"""What a call that was cut short may leave, decided from rows alone."""

from __future__ import annotations

import pytest

from pytest_taskq import Promises, Task
from pytest_taskq.contract import Status
from pytest_taskq.faults import rules
from pytest_taskq.faults.rules import Left, Scene

QUEUED = {"type": "job", "payload": "{}", "status": "queued", "attempts": 0, "max_attempts": 3, "locked_by": None}
QUEUED |= {"lease_until_utc": None, "reserved_at_utc": None, "finished_at_utc": None, "error_message": None}
QUEUED |= {"run_after_utc": "2030-01-01 00:00:00", "idempotency_key": None, "priority": 100, "compatibility": "{}"}
LEASED = QUEUED | {"status": "leased", "attempts": 1, "locked_by": "w1", "reserved_at_utc": "2030-01-01 00:00:00"}
LEASED |= {"lease_until_utc": "2030-01-01 00:01:00"}
COMPLETED = QUEUED | {"status": "completed", "attempts": 1, "finished_at_utc": "2030-01-01 00:00:30"}
RETRIED = QUEUED | {"attempts": 1, "error_message": "boom", "run_after_utc": "2030-01-01 00:00:02"}
FAILED = COMPLETED | {"status": "failed", "error_message": "boom"}


def left(before, now, after=None, *, acknowledged=False) -> Left:
    return Left(before=before, now=now, after=now if after is None else after, acknowledged=acknowledged)


def scene(*targets, result=None, wanted=1, **promises) -> Scene:
    held = [Task(id=1, type="job", payload="{}")]
    return Scene(Promises(**promises), targets=list(targets), held=held, result=result, wanted=wanted)


# --- enqueue ----------------------------------------------------------------------------------------------------------


def test_a_new_task_is_absent_or_whole() -> None:
    for now in ({}, {1: QUEUED}):
        assert rules.stored_whole_or_not(left({}, now, {1: QUEUED}), scene()) is None


@pytest.mark.parametrize("part", [{"idempotency_key": "k"}, {"status": "failed"}, {"payload": "[]"}, {"priority": 1}])
def test_a_part_of_a_new_task_is_a_breach(part) -> None:
    found = rules.stored_whole_or_not(left({}, {1: QUEUED | part}, {1: QUEUED}), scene())
    assert found is not None
    assert next(iter(part)) in found.seen


def test_some_tasks_of_a_batch_are_a_breach() -> None:
    whole = {1: QUEUED, 2: QUEUED}
    assert rules.stored_whole_or_not(left({}, whole, whole), scene(wanted=2)) is None
    assert rules.stored_whole_or_not(left({}, {1: QUEUED}, whole), scene(wanted=2)) is not None


def test_what_was_acknowledged_must_be_there() -> None:
    gone = left({}, {}, {}, acknowledged=True)
    assert rules.stored_whole_or_not(gone, scene(result=7)) is not None
    another = left({}, {6: QUEUED}, {6: QUEUED}, acknowledged=True)
    assert rules.stored_whole_or_not(another, scene(result=7)) is not None
    there = left({}, {7: QUEUED}, {7: QUEUED}, acknowledged=True)
    assert rules.stored_whole_or_not(there, scene(result=7)) is None


# --- claim ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("now", [QUEUED, LEASED])
def test_a_claim_leaves_the_task_queued_or_leased(now) -> None:
    assert rules.claimed_whole_or_not(left({1: QUEUED}, {1: now}), scene(1)) is None


@pytest.mark.parametrize(
    "now",
    [
        *(LEASED | {name: None} for name in ("locked_by", "lease_until_utc", "reserved_at_utc")),
        *(LEASED | {"attempts": attempts} for attempts in (0, 2)),
        LEASED | {"locked_by": "w2"},
        QUEUED | {"attempts": 1},
        QUEUED | {"locked_by": "w1"},
        QUEUED | {"lease_until_utc": "2030-01-01 00:01:00"},
        FAILED,
        None,
    ],
)
def test_a_claim_leaves_nothing_between(now) -> None:
    rows = {} if now is None else {1: now}
    assert rules.claimed_whole_or_not(left({1: QUEUED}, rows), scene(1)) is not None


def test_a_claim_leases_no_more_than_was_asked_for() -> None:
    before, now = {1: QUEUED, 2: QUEUED}, {1: LEASED, 2: LEASED}
    assert rules.claimed_whole_or_not(left(before, now), scene(1, 2)) is not None
    assert rules.claimed_whole_or_not(left(before, now), scene(1, 2, wanted=2)) is None


def test_a_claim_may_end_a_lease_that_is_over_first() -> None:
    over = LEASED | {"locked_by": "w9"}
    released = QUEUED | {"attempts": 1}
    again = LEASED | {"attempts": 2, "lease_until_utc": "2030-01-01 00:02:00"}
    for now in (over, released, again):
        assert rules.claimed_whole_or_not(left({1: over}, {1: now}), scene(1)) is None
    for now in (QUEUED, FAILED, over | {"attempts": 2}, over | {"locked_by": "w1", "attempts": 2}):
        assert rules.claimed_whole_or_not(left({1: over}, {1: now}), scene(1)) is not None
    assert rules.claimed_whole_or_not(left({1: over}, {1: released}), scene(1, lease_over="fail")) is not None
    assert rules.claimed_whole_or_not(left({1: over}, {1: FAILED}), scene(1, lease_over="fail")) is None


# --- complete and fail ------------------------------------------------------------------------------------------------


def test_a_completion_is_whole_or_nothing() -> None:
    rule = rules.ended_whole_or_not(Status.COMPLETED)
    for now in (LEASED, COMPLETED):
        assert rule(left({1: LEASED}, {1: now}, {1: COMPLETED}), scene(1)) is None
    for now in (LEASED | {"status": "completed"}, COMPLETED | {"finished_at_utc": None}, QUEUED):
        assert rule(left({1: LEASED}, {1: now}, {1: COMPLETED}), scene(1)) is not None
    assert rule(left({1: LEASED}, {1: LEASED}, {1: LEASED}, acknowledged=True), scene(1)) is not None


def test_a_retry_has_its_backoff_at_once_whatever_was_drawn() -> None:
    rule = rules.ended_whole_or_not(Status.QUEUED)
    other_draw = RETRIED | {"run_after_utc": "2030-01-01 00:00:03"}
    for now in (LEASED, RETRIED, other_draw):
        assert rule(left({1: LEASED}, {1: now}, {1: RETRIED}), scene(1)) is None
    without = RETRIED | {"run_after_utc": LEASED["run_after_utc"]}
    assert rule(left({1: LEASED}, {1: without}, {1: RETRIED}), scene(1)) is not None


# --- the rest ---------------------------------------------------------------------------------------------------------


def test_a_cleanup_leaves_each_task_whole() -> None:
    before = {1: COMPLETED, 2: QUEUED}
    for now in (before, {2: QUEUED}):
        assert rules.deleted_or_kept(left(before, now), scene(1)) is None
    for now in ({1: COMPLETED}, {1: COMPLETED | {"status": "deleting"}, 2: QUEUED}):
        assert rules.deleted_or_kept(left(before, now), scene(1)) is not None
    assert rules.deleted_or_kept(left(before, before, acknowledged=True), scene(1)) is not None


def test_a_renewal_moves_the_deadline_or_not() -> None:
    renewed = LEASED | {"lease_until_utc": "2030-01-01 00:05:00"}
    for now in (LEASED, renewed):
        assert rules.renewed_or_not(left({1: LEASED}, {1: now}, {1: renewed}), scene(1)) is None
    assert rules.renewed_or_not(left({1: LEASED}, {1: QUEUED}, {1: renewed}), scene(1)) is not None
    lost = left({1: LEASED}, {1: LEASED}, {1: renewed}, acknowledged=True)
    assert rules.renewed_or_not(lost, scene(1)) is not None


@pytest.mark.parametrize(
    "rule", [rules.stored_whole_or_not, rules.claimed_whole_or_not, rules.reclaimed_whole_or_not, rules.deleted_or_kept]
)
def test_bystanders_stand(rule) -> None:
    for now in ({}, {5: COMPLETED}, {5: LEASED | {"locked_by": "w3"}}, {5: LEASED | {"attempts": 2}}):
        assert rule(left({5: LEASED}, now), scene()) is not None
    assert rule(left({5: LEASED}, {5: LEASED | {"updated_at_utc": "now"}}), scene()) is None


def test_a_field_that_a_queue_does_not_show_is_not_compared() -> None:
    before, now = {1: {"status": "queued"}}, {1: {"status": "leased"}}
    assert rules.claimed_whole_or_not(left(before, now), scene(1)) is None


def test_open_tasks_are_those_that_must_come_again() -> None:
    rows = {1: QUEUED, 2: LEASED, 3: COMPLETED, 4: LEASED | {"attempts": 3}, 5: FAILED}
    assert set(rules.open_tasks(rows, Promises(), leases=True)) == {1, 2}
    assert set(rules.open_tasks(rows, Promises(), leases=False)) == {1}
    assert set(rules.open_tasks(rows, Promises(lease_over="fail"), leases=True)) == {1}
