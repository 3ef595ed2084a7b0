"""Nothing is lost, nothing comes from nowhere, and counts are those of one moment."""

from __future__ import annotations

import pytest

from pytest_taskq.checkers import (
    Judgement,
    Kind,
    Operation,
    Rule,
    Verdict,
    check_conservation,
    check_rows_in_order,
    check_statistics,
)


def enqueue(task: str, call: int = 0, returned: int | None = 1, **more: object) -> Operation:
    return Operation(kind=Kind.ENQUEUE, task=task, call=call, returned=returned, **more)


def of(kind: Kind, task: str | None, call: int, returned: int | None, result: object = None) -> Operation:
    return Operation(kind=kind, task=task, call=call, returned=returned, result=result)


DELETE = of(Kind.DELETE, None, 20, 22, 1)
COMPLETE = of(Kind.COMPLETE, "a", 10, 12, True)
CASES = {
    "there": ([enqueue("a")], ["a"], None),
    "lost": ([enqueue("a")], [], Rule.LOST),
    "not acknowledged": ([enqueue("a", returned=None)], [], None),
    "not acknowledged and there": ([enqueue("a", returned=None)], ["a"], None),
    "there twice": ([enqueue("a")], ["a", "a"], Rule.DOUBLE),
    "from nowhere": ([enqueue("a")], ["a", "b"], Rule.GHOST),
    "handed out from nowhere": ([of(Kind.CLAIM, "b", 2, 3)], [], Rule.PHANTOM),
    "deleted when completed": ([enqueue("a"), COMPLETE, DELETE], [], None),
    "deleted without an end": ([enqueue("a"), DELETE], [], Rule.LOST),
    "deleted before its end": ([enqueue("a"), of(Kind.DELETE, None, 5, 9, 1), COMPLETE], [], Rule.LOST),
    "completion unknown, then deleted": ([enqueue("a"), of(Kind.COMPLETE, "a", 10, None), DELETE], [], None),
    "completion refused, then deleted": ([enqueue("a"), of(Kind.COMPLETE, "a", 10, 12, False), DELETE], [], Rule.LOST),
    "a delete that died": ([enqueue("a"), COMPLETE, of(Kind.DELETE, None, 5, None)], [], None),
}


@pytest.mark.parametrize("name", CASES)
def test_what_went_in_is_there_or_was_finished_and_deleted(name: str) -> None:
    operations, left, rule = CASES[name]
    assert check_conservation(operations, left).rule is rule


def test_what_is_left_may_come_with_its_status() -> None:
    assert check_conservation([enqueue("a")], {"a": "queued"}).legal


A, B = enqueue("a", 0, 1), enqueue("b", 10, 20)
CLAIM_A = of(Kind.CLAIM, "a", 30, 40)
DONE = of(Kind.COMPLETE, "a", 50, 60, True)


def counts(call: int, returned: int, **by_status: int) -> Judgement:
    stats = Operation(kind=Kind.STATS, call=call, returned=returned, result=by_status)
    return check_statistics([A, B, CLAIM_A, DONE, stats])


@pytest.mark.parametrize(
    ("call", "returned", "by_status", "legal"),
    [
        (2, 5, {"queued": 1}, True),
        (2, 5, {"queued": 2}, False),
        (2, 10, {"queued": 2}, True),
        (12, 14, {"queued": 1}, True),
        (12, 14, {"queued": 2}, True),
        (21, 29, {"queued": 1}, False),
        (21, 29, {"queued": 1, "leased": 1}, False),
        (21, 30, {"queued": 1, "leased": 1}, True),
        (35, 55, {"queued": 1, "completed": 1}, True),
        (35, 55, {"queued": 1, "leased": 1, "completed": 1}, False),
        (35, 55, {"queued": 2, "completed": 1}, False),
        (41, 49, {"queued": 2}, False),
        (61, 70, {"queued": 1, "completed": 1, "failed": 0}, True),
        (61, 70, {"queued": 1, "failed": 1}, False),
    ],
)
def test_counts_are_those_of_one_moment(call: int, returned: int, by_status: dict[str, int], legal: bool) -> None:
    assert counts(call, returned, **by_status).legal is legal


def test_counts_of_two_moments_are_no_counts() -> None:
    # One SELECT before b came and the other after a was claimed: every number was true once, the pair never.
    assert counts(5, 45, queued=2, leased=1).rule is Rule.COUNTS


def test_a_claim_of_unknown_outcome_may_have_counted() -> None:
    died = Operation(kind=Kind.CLAIM, call=2, returned=None)
    stats = Operation(kind=Kind.STATS, call=5, returned=6, result={"leased": 1})
    assert check_statistics([A, died, stats]).legal
    assert not check_statistics([A, stats]).legal


def test_rows_follow_the_order_of_the_enqueues() -> None:
    first, second = enqueue("a", 0, 5, row=2), enqueue("b", 6, 9, row=1)
    judgement = check_rows_in_order([second, first])
    assert judgement.verdict is Verdict.FAIL
    assert judgement.witness == (first, second)
    assert check_rows_in_order([first, enqueue("b", 5, 9, row=1)]).legal
    assert check_rows_in_order([first, enqueue("b", 6, 9, row=3)]).legal
    assert check_rows_in_order([first, enqueue("b", 6, 9, row=1, key="k")]).legal
