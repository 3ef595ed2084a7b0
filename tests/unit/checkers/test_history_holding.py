"""Leases and fences: by example, and never a word against a history that a real queue could have made."""

from __future__ import annotations

import random

import pytest
from leased_queue import disturbed, is_explained, random_run

from pytest_taskq.checkers import (
    Kind,
    Operation,
    Redelivery,
    Rule,
    check_by_key,
    check_empties,
    check_fencing,
    check_fifo,
    check_leases,
    check_lifo,
    check_priority,
    check_rows_in_order,
)


def claim(actor: str, call: int, returned: int | None, *, lease: int = 100, attempt: int | None = None) -> Operation:
    return Operation(kind=Kind.CLAIM, actor=actor, task="t", call=call, returned=returned, lease=lease, attempt=attempt)


def did(
    actor: str, kind: Kind, call: int, returned: int | None, result: bool | None = True, **more: object
) -> Operation:
    return Operation(kind=kind, actor=actor, task="t", call=call, returned=returned, result=result, **more)


ENQUEUE = Operation(kind=Kind.ENQUEUE, task="t", call=0, returned=1, row=1)
FIRST = claim("a", 2, 4)

LEASES = {
    "within the lease": ([FIRST, claim("b", 90, 101)], Rule.LEASE),
    "at the earliest end": ([FIRST, claim("b", 90, 102)], None),
    "within the precision": ([FIRST, claim("b", 90, 97)], None),
    "after a failure": ([FIRST, did("a", Kind.FAIL, 10, 12), claim("b", 11, 13)], None),
    "before a failure": ([FIRST, did("a", Kind.FAIL, 14, 16), claim("b", 11, 13)], Rule.LEASE),
    "after a failure of unknown outcome": ([FIRST, did("a", Kind.FAIL, 10, None, None), claim("b", 11, 13)], None),
    "after a failure that was refused": ([FIRST, did("a", Kind.FAIL, 10, 12, False), claim("b", 13, 14)], Rule.LEASE),
    "after a renewal, in the first lease": (
        [FIRST, did("a", Kind.RENEW, 50, 52, lease=100), claim("b", 120, 130)],
        Rule.LEASE,
    ),
    "after a renewal that raised": (
        [FIRST, did("a", Kind.RENEW, 50, 52, None, lease=100, error="OSError"), claim("b", 120, 130)],
        None,
    ),
    "after a renewal that shortens": ([FIRST, did("a", Kind.RENEW, 20, 22, lease=10), claim("b", 31, 33)], None),
    "after a shortening that raised": (
        [FIRST, did("a", Kind.RENEW, 20, 22, None, lease=10, error="OSError"), claim("b", 31, 33)],
        None,
    ),
    "before a renewal that should have been refused": (
        [FIRST, claim("b", 200, 204), did("a", Kind.RENEW, 210, 212, lease=100)],
        None,
    ),
    "one attempt twice": ([claim("a", 2, 4, attempt=1), claim("b", 900, 901, attempt=1)], Rule.DOUBLE),
    "both at the same time": ([FIRST, claim("b", 3, 5)], Rule.LEASE),
    "at the same time, and the second gave it back": ([FIRST, claim("b", 3, 9), did("b", Kind.FAIL, 4, 5)], None),
    "a claim that died": ([FIRST, claim("b", 20, None)], None),
    "without a lease that ends": ([claim("a", 2, 4, lease=0), claim("b", 900, 901)], Rule.LEASE),
}


@pytest.mark.parametrize("name", LEASES)
def test_a_second_claim_is_judged_by_the_lease_of_the_first(name: str) -> None:
    operations, rule = LEASES[name]
    judgement = check_leases([ENQUEUE, *operations], precision=10 if name == "within the precision" else 0)
    assert judgement.rule is rule
    assert check_leases(list(judgement.witness)).rule is rule


AGAIN = claim("b", 200, 204)
FENCES = {
    "accepted of the holder": ([FIRST, did("a", Kind.COMPLETE, 10, 12)], None),
    "accepted late, while nobody took it": ([FIRST, did("a", Kind.COMPLETE, 500, 501)], None),
    "accepted of one who lost it": ([FIRST, AGAIN, did("a", Kind.COMPLETE, 210, 212)], Rule.STALE),
    "accepted while the other claims": ([FIRST, AGAIN, did("a", Kind.COMPLETE, 203, 212)], None),
    "a renewal of one who lost it": ([FIRST, AGAIN, did("a", Kind.RENEW, 210, 212, lease=9)], Rule.STALE),
    "accepted of a stranger": ([FIRST, did("c", Kind.COMPLETE, 10, 12)], Rule.STALE),
    "refused to a stranger": ([FIRST, did("c", Kind.COMPLETE, 10, 12, False)], None),
    "its own earlier attempt": (
        [claim("a", 2, 4, attempt=1), claim("a", 200, 204, attempt=2), did("a", Kind.COMPLETE, 210, 212, attempt=1)],
        Rule.STALE,
    ),
    "its own later attempt": (
        [claim("a", 2, 4, attempt=1), claim("a", 200, 204, attempt=2), did("a", Kind.COMPLETE, 210, 212, attempt=2)],
        None,
    ),
    "refused to the holder": ([FIRST, did("a", Kind.COMPLETE, 10, 12, False)], Rule.REFUSED),
    "refused when the lease may be over": ([FIRST, did("a", Kind.COMPLETE, 100, 103, False)], None),
    "refused after an attempt that died": (
        [FIRST, did("a", Kind.COMPLETE, 10, None, None), did("a", Kind.COMPLETE, 20, 22, False)],
        None,
    ),
    "completed twice": ([FIRST, did("a", Kind.COMPLETE, 10, 12), did("a", Kind.COMPLETE, 13, 14)], Rule.FINISHED),
    "claimed after completion": ([FIRST, did("a", Kind.COMPLETE, 10, 12), AGAIN], Rule.FINISHED),
    "claimed after a failure": ([FIRST, did("a", Kind.FAIL, 10, 12), AGAIN], None),
    "refused after it was cancelled": (
        [did("c", Kind.CANCEL, 6, 8), FIRST, did("a", Kind.COMPLETE, 10, 12, False)],
        None,
    ),
}


@pytest.mark.parametrize("name", FENCES)
def test_a_holders_call_is_judged_by_who_holds_the_task(name: str) -> None:
    operations, rule = FENCES[name]
    judgement = check_fencing([ENQUEUE, *operations])
    assert judgement.rule is rule
    assert check_fencing(list(judgement.witness)).rule is rule


@pytest.mark.parametrize(
    ("call", "found"), [(103, None), (104, None), (105, Rule.EMPTY)], ids=["may run", "at its end", "certainly over"]
)
def test_a_claim_finds_what_is_over(call: int, found: Rule | None) -> None:
    empty = Operation(kind=Kind.CLAIM, call=call, returned=call + 5)
    assert check_empties([ENQUEUE, FIRST, empty], redelivery=Redelivery()).rule is found
    assert check_empties([ENQUEUE, FIRST, empty], redelivery=Redelivery(precision=2)).legal
    assert check_empties([ENQUEUE, FIRST, empty], redelivery=Redelivery(requeues=False)).legal


def test_where_claims_do_not_take_back_a_task_is_there_only_after_a_reclaim() -> None:
    def judged(reclaim_call: int) -> Rule | None:
        reclaim = Operation(kind=Kind.RECLAIM, call=reclaim_call, returned=reclaim_call + 2, result=1)
        empty = Operation(kind=Kind.CLAIM, call=300, returned=305)
        return check_empties([ENQUEUE, FIRST, reclaim, empty], redelivery=Redelivery(claims_reclaim=False)).rule

    assert judged(103) is None
    assert judged(104) is Rule.EMPTY
    assert judged(298) is None


def test_a_failed_task_is_there_when_its_delay_is_over() -> None:
    failed = did("a", Kind.FAIL, 10, 12, delay=50)
    empty = Operation(kind=Kind.CLAIM, call=62, returned=70)
    assert check_empties([ENQUEUE, FIRST, failed, empty], redelivery=Redelivery()).legal
    later = Operation(kind=Kind.CLAIM, call=63, returned=70)
    assert check_empties([ENQUEUE, FIRST, failed, later], redelivery=Redelivery()).rule is Rule.EMPTY


ALL = {
    "leases": check_leases,
    "fencing": check_fencing,
    "empties": lambda operations: check_empties(operations, redelivery=Redelivery()),
    "key": lambda operations: check_by_key(operations, lambda one: one.row, redelivery=Redelivery()),
    "fifo": lambda operations: check_fifo(operations, redelivery=Redelivery()),
    "priority": lambda operations: check_priority(operations, redelivery=Redelivery()),
}


def test_no_checker_fails_what_a_queue_with_leases_could_have_done_and_most_of_the_rest_is_found() -> None:
    found = dict.fromkeys(ALL, 0)
    illegal = caught = 0
    for number in range(5_000):
        chance = random.Random(number)  # noqa: S311 - repeatable
        operations = disturbed(random_run(chance), chance)
        explained = is_explained(operations)
        checks = ALL if check_rows_in_order(operations).legal else ALL.keys() - {"fifo", "priority"}
        failed = [name for name in checks if not ALL[name](operations).legal]
        assert not (explained and failed), (number, failed)
        illegal += not explained
        caught += bool(failed)
        for name in failed:
            found[name] += 1
    assert illegal > 400
    assert caught > 0.8 * illegal
    assert min(found.values()) > 20, found


def test_what_a_queue_with_leases_did_is_legal_to_all() -> None:
    for number in range(5_000):
        operations = random_run(random.Random(number))  # noqa: S311 - repeatable
        assert {name: str(check(operations)) for name, check in ALL.items() if not check(operations).legal} == {}


def test_last_in_first_out_with_tasks_that_come_back_goes_by_their_first_enqueue() -> None:
    newer = Operation(kind=Kind.ENQUEUE, task="u", call=5, returned=6)
    back = did("a", Kind.FAIL, 10, 12)
    takes_old = [ENQUEUE, FIRST, newer, back, claim("b", 20, 22)]
    assert check_lifo(takes_old, redelivery=Redelivery()).rule is Rule.ORDER
    takes_new = [
        *takes_old[:-1],
        Operation(kind=Kind.CLAIM, task="u", actor="b", call=20, returned=22),
        claim("b", 23, 24),
    ]
    assert check_lifo(takes_new, redelivery=Redelivery()).legal
    assert check_fifo(takes_new, redelivery=Redelivery()).rule is Rule.ORDER
