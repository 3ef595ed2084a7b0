"""The oracle's judge believes the rows and nobody's word."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_taskq.checkers.row_steps import CallMade, Held, RowJudge, Step
from pytest_taskq.contract import Promises, Task

NOW = 1_000_000
TASK = Task(id=1, type="job", payload="{}", attempts=1)


def held(status: str = "leased", **fields: Any) -> Held:
    usual = {"attempts": 1, "holder": "w1", "reserved": NOW, "deadline": NOW + 10_000, "finished": None}
    return Held(**{"status": status, **usual, **fields})


QUEUED = held("queued", attempts=0, holder=None, reserved=None, deadline=None)
COMPLETED = held("completed", finished=NOW)


def breaches(
    method: str, *steps: Step, arguments: tuple[Any, ...] = (), result: Any = None, now: int = NOW
) -> list[str]:
    judge = RowJudge(Promises(), 1000)
    call = CallMade(method=method, arguments=arguments, result=result, now=now, steps=steps)
    return [breach.requirement for breach in judge.judge(call)]


def step(before: Held | None, after: Held | None, task_id: int = 1) -> Step:
    return Step(task_id=task_id, before=before, after=after)


CLAIM = ("w1", {}, 10.0)


def test_a_recorded_claim_is_in_order() -> None:
    assert breaches("claim_task", step(QUEUED, held()), arguments=CLAIM, result=TASK) == []


@pytest.mark.parametrize(
    "after",
    [
        held(holder="w2"),
        held(holder=None),
        held(reserved=NOW - 1000),
        held(reserved=None),
        held(deadline=NOW + 9_000),
        held(deadline=NOW + 11_000),
        held(deadline=None),
        QUEUED,
    ],
)
def test_a_claim_that_records_something_else_breaks_its_record(after: Held) -> None:
    assert "CLM-04" in breaches("claim_task", step(QUEUED, after), arguments=CLAIM, result=TASK)


def test_a_claim_that_is_not_stored_breaks_its_record() -> None:
    assert breaches("claim_task", arguments=CLAIM, result=TASK) == ["CLM-04"]


@pytest.mark.parametrize("method", ["claim_task", "reclaim_expired"])
def test_a_lease_with_time_left_is_not_taken(method: str) -> None:
    assert breaches(method, step(held(), QUEUED), arguments=CLAIM) == ["CLM-02"]


def test_a_lease_that_is_over_may_be_taken() -> None:
    assert breaches("reclaim_expired", step(held(), QUEUED), now=NOW + 10_000) == []


def test_a_completion_by_the_holder_is_in_order() -> None:
    assert breaches("complete_task", step(held(), COMPLETED), arguments=(TASK, "w1"), result=True) == []


@pytest.mark.parametrize("was", [held(holder="w2"), held(attempts=2), QUEUED])
def test_a_completion_by_anyone_else_breaks_the_fence(was: Held) -> None:
    assert "FIN-02" in breaches("complete_task", step(was, COMPLETED), arguments=(TASK, "w1"), result=True)


def test_a_completion_that_is_only_said_breaks_the_completion() -> None:
    assert breaches("complete_task", arguments=(TASK, "w1"), result=True) == ["FIN-01"]


def test_a_completion_needs_its_time() -> None:
    after = held("completed", finished=None)
    assert breaches("complete_task", step(held(), after), arguments=(TASK, "w1"), result=True) == ["FIN-01"]


def test_a_completed_task_never_comes_back() -> None:
    assert "FIN-01" in breaches("reclaim_expired", step(COMPLETED, QUEUED))
    assert "FIN-01" not in breaches("delete_finished", step(COMPLETED, None), arguments=(0.0,), result=1, now=NOW + 1)


def test_reading_changes_nothing() -> None:
    assert breaches("queue_stats", step(held(), QUEUED)) == ["OBS-03"]


@pytest.mark.parametrize(
    ("was", "result"),
    [
        (held("failed", finished=NOW - 60_000), 1),
        (held("queued"), 1),
        (held("completed", finished=NOW - 10_000), 1),
        (held("completed", finished=NOW - 60_000), 2),
    ],
    ids=["a dead letter", "a live task", "exactly at the limit", "another count"],
)
def test_cleanup_deletes_what_it_may_and_counts_it(was: Held, result: int) -> None:
    assert "MNT-01" in breaches("delete_finished", step(was, None), arguments=(10.0,), result=result)
