"""Priorities are chosen so that weights lie apart, and no task is waited for that would hardly ever be served."""

from __future__ import annotations

from math import exp

import pytest

from pytest_taskq.contract import Promises, inverse_priority
from pytest_taskq.instruments.weighted_pools import farthest_priorities, four_priorities, weight_function
from pytest_taskq.reference_impl import Adapter
from pytest_taskq.subject import Subject
from pytest_taskq.subject.violation import NotJudgedError


def test_the_weights_of_the_contract_give_one_two_four_and_eight() -> None:
    assert four_priorities(inverse_priority) == (7, 3, 1, 0)
    assert farthest_priorities(inverse_priority) == (100, 0)


def test_weights_that_grow_with_the_number_give_it_the_other_way_round() -> None:
    lightest, third, second, heaviest = (1.0 + one for one in four_priorities(lambda priority: 1.0 + priority))
    assert heaviest / second == pytest.approx(2, rel=0.05)
    assert second / third == pytest.approx(2, rel=0.05)
    assert third / lightest == pytest.approx(2, rel=0.05)
    assert farthest_priorities(lambda priority: 1.0 + priority) == (0, 100)


def test_weights_that_are_all_the_same_give_four_priorities_all_the_same() -> None:
    assert len(set(four_priorities(lambda _: 1.0))) == 4


@pytest.mark.parametrize("steep", [0.5, 2, 7])
def test_what_would_hardly_ever_be_served_is_left_out(steep: float) -> None:
    def weight(priority: int) -> float:
        return exp(-steep * priority)

    for chosen in (four_priorities(weight), farthest_priorities(weight)):
        assert min(weight(one) for one in chosen) >= max(weight(one) for one in chosen) / 101


@pytest.mark.parametrize("wrong", [0, -1.0, float("nan"), float("inf"), None, "heavy"])
def test_a_promise_that_is_no_weight_is_not_judged(wrong: object) -> None:
    class Promised(Adapter):
        promises = Promises(weight=lambda _: wrong)  # type: ignore[arg-type,return-value]

    with pytest.raises(NotJudgedError, match="a weight is a finite number above 0"):
        weight_function(Subject("Promised", Promised))(0)
