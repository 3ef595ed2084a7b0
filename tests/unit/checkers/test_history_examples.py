"""Each rule by the smallest history that breaks it, and what the judgement says."""

from __future__ import annotations

import pytest

from pytest_taskq.checkers import (
    Judgement,
    Kind,
    Operation,
    Rule,
    Verdict,
    check_by_key,
    check_fifo,
    check_lifo,
    check_priority,
)
from pytest_taskq.checkers.by_name import CHECKS, Ways, judge


def put(task: str, call: int, returned: int | None, **more: object) -> Operation:
    return Operation(kind=Kind.ENQUEUE, actor="p", task=task, call=call, returned=returned, **more)


def got(task: str | None, call: int, returned: int | None, **more: object) -> Operation:
    return Operation(kind=Kind.CLAIM, actor="c", task=task, call=call, returned=returned, **more)


A, B = put("a", 0, 1, priority=5, row=1), put("b", 2, 3, priority=1, row=2)


@pytest.mark.parametrize(
    ("operations", "rule"),
    [
        ([A, got("a", 4, 5)], None),
        ([got("a", 4, 5)], Rule.PHANTOM),
        ([put("a", 6, 7), got("a", 4, 5)], Rule.PHANTOM),
        ([put("a", 5, 7), got("a", 4, 5)], None),
        ([put("a", 0, 1, delay=20), got("a", 4, 5)], Rule.PHANTOM),
        ([A, got("a", 4, 5), got("a", 9, 10)], Rule.DOUBLE),
        ([A, got(None, 4, 5)], Rule.EMPTY),
        ([A, got(None, 1, 5)], None),
        ([put("a", 0, 1, delay=4), got(None, 4, 6)], None),
        ([put("a", 0, 1, delay=4), got(None, 6, 7)], Rule.EMPTY),
        ([A, got("a", 4, 6), got(None, 6, 8)], None),
        ([A, got("a", 6, 8), got(None, 4, 5)], Rule.EMPTY),
        ([A, B, got("b", 4, 5), got("a", 6, 7)], Rule.ORDER),
        ([A, B, got("b", 4, 6), got("a", 6, 7)], None),
        ([A, B, got("b", 4, 5)], Rule.ORDER),
        ([A, put("b", 1, 3), got("b", 4, 5)], None),
        ([put("a", 0, None), B, got("b", 4, 5)], None),
        ([put("a", 0, None), B, got("b", 4, 5), got("a", 6, 7)], None),
        ([A, B, got(None, 3, None), got("b", 4, 5)], None),
        ([A, B, got(None, 6, None), got("b", 4, 5)], Rule.ORDER),
        ([A, B, got(None, 3, 4, error="OSError"), got("b", 4, 5)], None),
    ],
)
def test_first_in_first_out(operations: list[Operation], rule: Rule | None) -> None:
    judgement = check_fifo(operations)
    assert judgement.rule is rule
    assert judgement.verdict is (Verdict.FAIL if rule else Verdict.PASS)


def test_last_in_first_out_and_priority() -> None:
    serves_a = [A, B, got("a", 4, 5)]
    serves_b = [A, B, got("b", 4, 5)]
    assert check_lifo(serves_a).rule is Rule.ORDER
    assert check_lifo(serves_b).legal
    assert check_priority(serves_a).rule is Rule.ORDER
    assert check_priority(serves_b).legal
    assert check_priority(serves_a, order="descending").legal
    assert check_priority(serves_b, order="descending").rule is Rule.ORDER
    assert check_by_key(serves_b, lambda one: one.row).rule is Rule.ORDER


def test_too_many_possibilities_are_no_verdict() -> None:
    waiting = [put(str(number), number, number + 1, row=number, priority=number % 2) for number in range(40)]
    died = [got(None, 100 + number, None) for number in range(8)]
    late = got("39", 200, 201)
    judgement = check_priority([*waiting, *died, late])
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert "8 claims died" in judgement.text


def test_a_judgement_reads_as_a_proof() -> None:
    text = str(check_fifo([A, B, got("b", 4_000_000_000, 5_000_000_000), got("a", 6_000_000_000, 7_000_000_000)]))
    assert text.splitlines() == [
        "FAIL: a task is handed out before its turn: task 'b' entered after 'a' and left before it",
        "  0.000000 .. 0.000000  p enqueue 'a'",
        "  0.000000 .. 0.000000  p enqueue 'b'",
        "  4.000000 .. 5.000000  c claim 'b'",
        "  6.000000 .. 7.000000  c claim 'a'",
    ]


def test_a_proof_of_many_operations_is_cut_and_says_so() -> None:
    tasks = [put(str(n), 10 * n, 10 * n + 1) for n in range(50)]
    claims = [got(str(n), 10 * n + 15, 10 * n + 16) for n in range(50)]
    judgement = check_fifo([*tasks, *claims, got(None, 2, 504)])
    assert judgement.rule is Rule.EMPTY
    assert len(judgement.witness) == 101
    assert "tasks '0', '1', '2' and 47 more were in turn there" in str(judgement)
    assert str(judgement).splitlines()[-1] == "  … and 61 more operations"


def test_operations_read_as_lines() -> None:
    assert str(got(None, 0, 0)).endswith("c claim  -> nothing")
    assert str(got("a", 0, None)).endswith("c claim 'a'  -> died before it returned")
    assert str(got("a", 0, 1, error="OSError: disk")).endswith("c claim 'a'  -> raised OSError: disk")


@pytest.mark.parametrize("name", CHECKS)
def test_every_check_has_a_name(name: str) -> None:
    judgement = judge(name, [A, B], Ways(left={"a": "queued", "b": "queued"}))
    assert isinstance(judgement, Judgement)
    assert judgement.legal


def test_an_unknown_check_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"no check 'fivo'; there are fifo, lifo, priority"):
        judge("fivo", [], Ways())


def test_conservation_needs_what_is_left() -> None:
    assert judge("conservation", [A], Ways()).verdict is Verdict.INCONCLUSIVE
