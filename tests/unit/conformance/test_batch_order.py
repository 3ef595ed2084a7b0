"""In which orders a batch may come, and when chance decides."""

from __future__ import annotations

import pytest

from pytest_taskq import Promises, SchedulingStrategy
from pytest_taskq.conformance.batch_order import BATCH, PRIORITIES, fits, is_drawn, orders_of


def orders(**promised: object) -> dict[str, tuple[int, ...]]:
    promises = Promises(**promised)
    return orders_of(promises, PRIORITIES, promises.weight)


def test_the_first_four_differ_from_order_to_order_and_none_is_sorted_by_age_but_that_of_age() -> None:
    found = orders(strategies=frozenset({"fifo", "lifo", "priority"}))
    firsts = {name: order[:BATCH] for name, order in found.items()}
    assert len(set(map(frozenset, firsts.values()))) == 3
    assert [name for name, first in firsts.items() if list(first) == sorted(first)] == ["fifo"]


@pytest.mark.parametrize(
    ("promised", "name"),
    [({}, "priority"), ({"priority_order": "descending"}, "priority"), ({"weight": float}, "weighted_random")],
)
def test_an_order_is_that_of_what_is_promised(promised: dict[str, object], name: str) -> None:
    descending = bool(promised)
    order = orders(**promised)[name]
    assert [PRIORITIES[place] for place in order] == sorted(PRIORITIES, reverse=descending)


def test_what_is_not_promised_is_no_order() -> None:
    assert set(orders(strategies=frozenset({SchedulingStrategy.LIFO}))) == {"lifo"}


def test_all_batches_come_in_one_order_or_in_none() -> None:
    known = {"up": (0, 1, 2, 3), "down": (3, 2, 1, 0)}
    assert fits([(0, 1), (0, 1)], known) == "up"
    assert fits([(3, 2), (3,)], known) == "down"
    assert not fits([(0, 1), (3, 2)], known)
    assert not fits([(1, 0)], known)


def test_equal_tasks_in_another_order_are_not_drawn() -> None:
    assert not is_drawn([(0, 1), (1, 0)])
    assert is_drawn([(0, 1), (0, 2)])
