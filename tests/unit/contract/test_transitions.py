"""The life of a task: what may follow what, and that an end is an end."""

from __future__ import annotations

import pytest

from pytest_taskq.contract import FINAL, METHODS, TRANSITIONS, Status, is_legal
from pytest_taskq.contract.transitions import CALL_OF_METHOD

QUEUED, LEASED, COMPLETED, FAILED, CANCELLED = Status
LIVE = frozenset(Status) - FINAL
STATES = (None, *Status)

LEGAL = {
    (None, "enqueue", QUEUED),
    (QUEUED, "claim", LEASED),
    (QUEUED, "claim", FAILED),
    (QUEUED, "cancel", CANCELLED),
    (LEASED, "complete", COMPLETED),
    (LEASED, "renew", LEASED),
    (LEASED, "claim", LEASED),
    (LEASED, "claim", QUEUED),
    (LEASED, "claim", FAILED),
    (LEASED, "reclaim", QUEUED),
    (LEASED, "reclaim", FAILED),
    (LEASED, "fail", QUEUED),
    (LEASED, "fail", FAILED),
    (COMPLETED, "delete", None),
    (FAILED, "delete", None),
    (CANCELLED, "delete", None),
}


@pytest.mark.parametrize("method", METHODS)
def test_a_method_may_take_exactly_the_steps_of_the_contract(method: str) -> None:
    call = CALL_OF_METHOD.get(method)
    legal = {(source, target) for source in STATES for target in STATES if is_legal(source, method, target)}
    assert legal == {(source, target) for source, step, target in LEGAL if step == call}


@pytest.mark.parametrize("method", METHODS)
def test_no_call_makes_a_finished_task_live_again(method: str) -> None:
    assert not any(is_legal(source, method, target) for source in FINAL for target in LIVE)


@pytest.mark.parametrize("method", METHODS)
def test_no_call_turns_one_end_into_another(method: str) -> None:
    assert not any(is_legal(source, method, target) for source in FINAL for target in FINAL)


def test_a_finished_task_reaches_nothing_but_its_deletion() -> None:
    assert {step.target for step in TRANSITIONS if step.source in FINAL} == {None}


def test_every_state_can_be_reached_from_nothing() -> None:
    reached: set[Status | None] = {None}
    while more := {step.target for step in TRANSITIONS if step.source in reached} - reached:
        reached |= more
    assert reached == set(STATES)


def test_every_live_state_can_reach_an_end() -> None:
    ending: set[Status | None] = set(FINAL)
    while more := {step.source for step in TRANSITIONS if step.target in ending} - ending:
        ending |= more
    assert ending >= LIVE


@pytest.mark.parametrize("method", ["open_database", "get_task", "queue_stats"])
def test_a_reading_method_moves_nothing(method: str) -> None:
    assert not any(is_legal(source, method, target) for source in STATES for target in STATES)


def test_a_method_that_does_not_exist_moves_nothing() -> None:
    assert not is_legal(QUEUED, "claim", LEASED), "`claim` is the name of a step, not of a method"


def test_no_step_is_listed_twice() -> None:
    steps = [(step.source, step.call, step.target) for step in TRANSITIONS]
    assert len(set(steps)) == len(steps)


def test_every_method_that_writes_has_a_step() -> None:
    assert set(CALL_OF_METHOD) == set(METHODS) - {"open_database", "get_task", "queue_stats"}
