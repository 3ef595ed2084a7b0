"""The order checkers against a search through every order, on random small histories; it sees a broken checker."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import pytest
from every_order import Rules, Shape, is_linearizable, random_history

from pytest_taskq.checkers import (
    Judgement,
    Kind,
    Operation,
    Verdict,
    check_by_key,
    check_fifo,
    check_lifo,
    check_priority,
    cover,
    order,
    queues,
    stays,
)

CHECKS: dict[str, Callable[[list[Operation]], Judgement]] = {
    "fifo": check_fifo,
    "lifo": check_lifo,
    "priority": check_priority,
    "key": lambda operations: check_by_key(operations, lambda one: one.row),
}
SHAPES = {
    "plain": Shape(),
    "equal stamps": Shape(grid=20),
    "dead enqueues": Shape(dead_enqueues=0.2),
    "dead claims": Shape(empties=0, claimed=0.6, dead_claims=3),
    "dead claims of known tasks": Shape(named_dead_claims=0.3),
    "all at once": Shape(grid=10, tasks=3, dead_enqueues=0.1, dead_claims=2, claimed=0.7),
    "cancelled": Shape(grid=10, cancelled=0.3, empties=1),
}
# 27 pairs and one: 20,000 histories in each run of the tests, half a million in the long one.
EACH, MANY = 715, 18_000


def mismatches(name: str, shape: str, count: int = EACH, seed: int = 0) -> tuple[list[str], Counter[bool]]:
    """Return each history on which checker and search differ, and how often the search said what."""
    said: Counter[bool] = Counter()
    wrong = []
    for number in range(count):
        operations = random_history(random.Random(f"{seed} {number} {name} {shape}"), SHAPES[shape])  # noqa: S311 - repeatable
        expected, judgement = is_linearizable(operations, Rules(name)), CHECKS[name](operations)
        said[expected] += 1
        if judgement.verdict is Verdict.INCONCLUSIVE or judgement.legal != expected:
            wrong.append(f"history {number}: linearizable is {expected}, the checker says {judgement}")
    return wrong, said


# Last in, first out is weaker than exact where tasks are cancelled; see the next test.
EXACT = [(name, shape) for name in CHECKS for shape in SHAPES if (name, shape) != ("lifo", "cancelled")]


@pytest.mark.parametrize(("name", "shape"), EXACT)
def test_the_checker_decides_as_the_search_does(name: str, shape: str) -> None:
    wrong, said = mismatches(name, shape)
    assert wrong == []
    assert min(said[True], said[False]) > 0.08 * said.total(), said


@pytest.mark.soak
@pytest.mark.parametrize(("name", "shape"), EXACT)
def test_the_checker_decides_as_the_search_does_half_a_million_times(name: str, shape: str) -> None:
    assert mismatches(name, shape, MANY, seed=1)[0] == []


def test_last_in_first_out_with_cancelled_tasks_is_never_failed_wrongly_and_mostly_found() -> None:
    missed = found = 0
    for number in range(EACH):
        operations = random_history(random.Random(number), SHAPES["cancelled"])  # noqa: S311 - repeatable
        expected, judgement = is_linearizable(operations, Rules("lifo")), check_lifo(operations)
        assert judgement.legal or not expected
        missed += judgement.legal and not expected
        found += not judgement.legal
    assert found > 5 * missed


@pytest.mark.parametrize(
    ("name", "shape"),
    [("fifo", "dead claims"), *((name, shape) for name in CHECKS for shape in SHAPES if not SHAPES[shape].dead_claims)],
)
def test_the_witness_is_a_proof_by_itself(name: str, shape: str) -> None:
    failed = 0
    for number in range(EACH // 5):
        judgement = CHECKS[name](random_history(random.Random(number), SHAPES[shape]))  # noqa: S311 - repeatable
        if judgement.verdict is Verdict.FAIL:
            failed += 1
            again = CHECKS[name](list(judgement.witness))
            assert again.rule is judgement.rule
            assert set(again.witness) <= set(judgement.witness)
    assert failed > 5


# --- the search fails broken checkers ---------------------------------------------------------------------------------


BROKEN_EVENTS = {
    "a presence begins before the claims of the same moment": {"_ABSENT": 1, "_CLAIM_BEGINS": 2, "_PRESENT": 0},
    "a presence ends after the claims of the same moment": {"_ABSENT": 4},
    "a claim ends before it begins": {"_CLAIM_ENDS": -1},
}


@pytest.mark.parametrize("change", BROKEN_EVENTS)
def test_a_sweep_with_events_in_the_wrong_order_is_seen(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in BROKEN_EVENTS[change].items():
        monkeypatch.setattr(cover, name, value)
    assert mismatches("key", "equal stamps", 2_000)[0]


def test_the_next_worse_class_taken_for_the_same_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    first, last = cover.first_free, cover.last_free
    for name, kept in (("first_free", first), ("last_free", last)):
        monkeypatch.setattr(queues, name, lambda a, b, kept=kept: kept(a, [(x, y, key + 1) for x, y, key in b]))
    assert mismatches("priority", "plain", 300)[0]


def test_ties_that_are_served_in_any_order_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "_within_classes", lambda *_: None)
    assert mismatches("priority", "plain", 300)[0]


def test_claims_that_are_not_narrowed_to_their_turn_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def whole(present: list[cover.Interval], claims: list[cover.Interval]) -> list[int | None]:
        moments = cover.first_free(present, claims)
        return [None if moment is None else begin for moment, (begin, _, _) in zip(moments, claims, strict=True)]

    monkeypatch.setattr(queues, "first_free", whole)
    monkeypatch.setattr(queues, "last_free", lambda _, claims: [end for _, end, _ in claims])
    assert mismatches("priority", "plain", 20_000)[0]


def test_an_empty_claim_that_touches_a_presence_is_no_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    def touching(self: cover.Busy, begin: int, end: int) -> bool:
        return any(a <= begin and end <= b for a, b in zip(self._begins, self._ends, strict=True))

    monkeypatch.setattr(cover.Busy, "throughout", touching)
    assert mismatches("fifo", "equal stamps", 3_000)[0]


def test_touching_presences_taken_for_one_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = cover.Busy.__init__

    def closed(self: cover.Busy, all_stays: list[stays.Stay]) -> None:
        kept(self, [one._replace(cc=one.cc + 1) for one in all_stays])

    monkeypatch.setattr(cover.Busy, "__init__", closed)
    assert mismatches("fifo", "equal stamps", 3_000)[0]


def test_an_order_scan_that_counts_equal_stamps_as_before_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = order.overtaken
    monkeypatch.setattr(queues, "overtaken", lambda all_stays: kept([one._replace(er=one.er - 1) for one in all_stays]))
    assert mismatches("fifo", "equal stamps", 2_000)[0]


def test_a_stack_that_forgets_when_the_bottom_was_pushed_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = queues.not_nested
    monkeypatch.setattr(queues, "not_nested", lambda all_stays: kept(one._replace(ec=-1) for one in all_stays))
    assert mismatches("lifo", "plain", 1_000)[0]


def test_a_dead_claim_that_is_said_to_take_nothing_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "fifo_with_unknown", lambda all_stays, _: queues._fifo(all_stays, ()))
    assert mismatches("fifo", "dead claims", 500)[0]


def test_a_hidden_task_excuses_the_claims_beside_the_failed_one_and_no_others() -> None:
    def history(failed_until: int) -> list[Operation]:
        return [
            Operation(kind=Kind.ENQUEUE, task="a", call=0, returned=1),
            Operation(kind=Kind.ENQUEUE, task="b", call=2, returned=3),
            Operation(kind=Kind.CLAIM, call=4, returned=failed_until, error="OperationalError"),
            Operation(kind=Kind.CLAIM, task="b", call=6, returned=7),
            Operation(kind=Kind.CLAIM, task="a", call=8, returned=9),
        ]

    assert check_fifo(history(6), skip_locked=True).legal
    assert check_fifo(history(6)).verdict is Verdict.FAIL
    assert check_fifo(history(5), skip_locked=True).verdict is Verdict.FAIL
