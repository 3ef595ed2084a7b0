"""How much a history overlapped, and who held what."""

from __future__ import annotations

import random

from pytest_taskq.history import NEVER, Kind, Operation, overlap_of, tenures_of
from pytest_taskq.history.overlap import met


def claim(actor: str, call: int, returned: int | None, **more: object) -> Operation:
    return Operation(kind=Kind.CLAIM, actor=actor, call=call, returned=returned, **more)


def met_the_slow_way(operations: list[Operation]) -> int:
    def end(one: Operation) -> int:
        return NEVER if one.returned is None else one.returned

    return sum(
        any(a.actor != b.actor and a.call <= end(b) and b.call <= end(a) for b in operations) for a in operations
    )


def test_met_counts_what_a_comparison_of_all_pairs_counts() -> None:
    for seed in range(400):
        chance = random.Random(seed)  # noqa: S311 - repeatable
        operations = []
        for _ in range(chance.randint(0, 9)):
            call = chance.randint(0, 40)
            end = None if chance.random() < 0.1 else call + chance.randint(0, 12)
            operations.append(claim(chance.choice("abc"), call, end))
        assert met(operations) == met_the_slow_way(operations), operations


def test_overlap_is_counted_by_kind() -> None:
    put = Operation(kind=Kind.ENQUEUE, actor="p", task="t", call=0, returned=5)
    overlap = overlap_of([put, claim("a", 4, 8, task="t"), claim("b", 9, 10), claim("b", 11, 12, error="Busy")])
    assert (overlap.operations, overlap.overlapping, overlap.claims, overlap.contended, overlap.empty) == (
        4,
        2,
        3,
        0,
        1,
    )
    assert str(overlap) == "4 operations, 2 of them at the same time as another actor's; 3 claims, 0 contended, 1 empty"


def did(actor: str, kind: Kind, call: int, attempt: int | None = None, result: bool | None = True) -> Operation:
    return Operation(kind=kind, actor=actor, task="t", call=call, returned=call + 1, attempt=attempt, result=result)


def test_a_call_belongs_to_the_callers_latest_claim() -> None:
    first, second, third = (claim(actor, call, call + 1, task="t") for actor, call in (("a", 0), ("b", 10), ("a", 20)))
    early, late = did("a", Kind.COMPLETE, 5), did("a", Kind.FAIL, 25)
    kept = tenures_of([late, third, early, second, first])
    assert [one.claim for one in kept.by_task["t"]] == [first, second, third]
    assert [one.finishes for one in kept.by_task["t"]] == [[early], [], [late]]
    assert tenures_of([first, did("c", Kind.FAIL, 5)]).strangers == [did("c", Kind.FAIL, 5)]


def test_a_call_that_names_an_attempt_belongs_to_that_one() -> None:
    first, second = claim("a", 0, 1, task="t", attempt=1), claim("a", 10, 11, task="t", attempt=2)
    stale = did("a", Kind.RENEW, 20, attempt=1)
    kept = tenures_of([first, second, stale])
    assert [one.renewals for one in kept.by_task["t"]] == [[stale], []]


def test_attempts_tell_the_order_of_claims() -> None:
    second, first = claim("a", 0, 9, task="t", attempt=2), claim("b", 1, 3, task="t", attempt=1)
    assert [one.claim for one in tenures_of([second, first]).by_task["t"]] == [first, second]
