"""Slower and faster are said beyond noise: two runs of the same code do not differ, and a real change is seen."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import combinations
from math import comb, exp

import pytest
from stored import plain_report

from pytest_taskq.reports import rank_sums
from pytest_taskq.reports.comparison import MARGIN, LatencyChange, Shift, compare
from pytest_taskq.reports.rank_sums import least_probability, probability_of_no_shift
from pytest_taskq.reports.stored_report import parse_report

CALLS = 10
PAIRS = 30
Noise = Callable[[random.Random, int], list[float]]


def seeded(number: int) -> random.Random:
    return random.Random(number)  # noqa: S311 - noise of an experiment, no secret


def independent(chance: random.Random, pairs: int) -> list[float]:
    return [chance.gauss(0, 0.15) for _ in range(pairs)]


def drifting(chance: random.Random, pairs: int) -> list[float]:
    """Blocks resemble those before them, and each run lies up to 10 % beside the others."""
    level, beside, drawn = 0.0, chance.uniform(-0.05, 0.05), []
    for _ in range(pairs):
        level = 0.6 * level + chance.gauss(0, 0.1)
        drawn.append(beside + level)
    return drawn


def interrupted(chance: random.Random, pairs: int) -> list[float]:
    """One block in six is hit by something that takes several times as long."""
    return [chance.gauss(0, 0.1) + (chance.uniform(0.5, 2) if chance.random() < 1 / 6 else 0) for _ in range(pairs)]


def run(chance: random.Random, noise: Noise, *, factor: float = 1.0, calls: int = CALLS) -> dict[str, list[float]]:
    return {f"call {n}": [factor * (1 + n) * exp(x) for x in noise(chance, PAIRS)] for n in range(calls)}


def shifts(base: dict[str, list[float]], head: dict[str, list[float]], **facts: str) -> list[LatencyChange]:
    before, after = plain_report({}, ratios=base), plain_report({}, ratios=head, **facts)
    return [*compare(parse_report(before), parse_report(after)).latencies]


@pytest.mark.parametrize("noise", [independent, drifting, interrupted])
def test_two_runs_of_the_same_code_do_not_differ(noise: Noise) -> None:
    chance = seeded(1)
    said = [one.shift for _ in range(200) for one in shifts(run(chance, noise), run(chance, noise))]
    assert len(said) == 200 * CALLS
    assert set(said) == {Shift.SAME}


@pytest.mark.parametrize("noise", [independent, interrupted])
def test_a_change_of_just_the_margin_is_called_one_as_rarely_as_is_stated(noise: Noise) -> None:
    chance = seeded(2)
    called = sum(
        any(one.shift is Shift.SLOWER for one in shifts(run(chance, noise), run(chance, noise, factor=1 + MARGIN)))
        for _ in range(400)
    )
    assert called <= 3  # expected 0.2 of 400: a fourth has a chance of 6e-5


@pytest.mark.parametrize("noise", [independent, drifting, interrupted])
def test_a_call_that_takes_twice_as_long_is_slower_and_the_other_way_round_faster(noise: Noise) -> None:
    chance = seeded(3)
    slower, faster = [], []
    for _ in range(20):
        base, head = run(chance, noise), run(chance, noise, factor=2)
        slower += [one.shift for one in shifts(base, head)]
        faster += [one.shift for one in shifts(head, base)]
    assert {*slower} <= {Shift.SLOWER, Shift.SAME}
    assert slower.count(Shift.SLOWER) >= 0.8 * 20 * CALLS
    assert faster.count(Shift.FASTER) == slower.count(Shift.SLOWER)


def test_one_slow_call_among_others_is_named_with_both_ratios() -> None:
    chance = seeded(4)
    base, head = run(chance, independent), run(chance, independent)
    head["call 3"] = [2 * ratio for ratio in head["call 3"]]
    first, *rest = shifts(base, head)
    assert (first.shift, first.name) == (Shift.SLOWER, "call 3")
    assert first.before == pytest.approx(4, rel=0.15)
    assert first.after == pytest.approx(8, rel=0.15)
    assert {one.shift for one in rest} == {Shift.SAME}


def test_what_is_no_longer_measured_is_loud_and_what_is_newly_measured_is_nothing() -> None:
    chance = seeded(5)
    base = run(chance, independent, calls=2)
    (gone,) = (one for one in shifts(base, {"call 0": base["call 0"]}) if one.shift is not Shift.SAME)
    assert (gone.shift, gone.name, gone.after) == (Shift.GONE, "call 1", None)
    assert [one.name for one in shifts({"call 0": base["call 0"]}, base)] == ["call 0"]


def test_too_few_measurements_decide_nothing_however_far_apart() -> None:
    (one,) = shifts({"claim": [1.0, 1.1, 1.2]}, {"claim": [50.0, 51.0, 52.0]})
    assert one.shift is Shift.UNDECIDED


def test_another_back_end_is_not_compared() -> None:
    chance = seeded(6)
    assert shifts(run(chance, independent), run(chance, independent, factor=9), backend="postgresql 16") == []


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 1.0, 1.0], [*range(12)]])
def test_few_values_are_compared_as_they_are(values: list[float]) -> None:
    assert rank_sums.independent(values) == values


def test_values_that_hang_together_count_as_fewer() -> None:
    chance = seeded(7)
    assert len(rank_sums.independent([float(n // 10) for n in range(100)])) == 12
    assert len(rank_sums.independent([chance.random() for _ in range(100)])) >= 70


# --- the test itself --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("few", "many"), [(1, 1), (2, 3), (4, 3), (5, 5)])
def test_the_exact_probability_is_that_of_counting_all_orders(few: int, many: int) -> None:
    places = range(few + many)
    for high in combinations(places, few):
        low = [place for place in places if place not in high]
        above = sum(one > other for one in high for other in low)
        as_far = sum(
            sum(one > other for one in some for other in places if other not in some) >= above
            for some in combinations(places, few)
        )
        assert probability_of_no_shift(low, high) == pytest.approx(as_far / comb(few + many, few))


def test_the_best_that_can_be_shown_is_what_samples_that_do_not_overlap_give() -> None:
    assert probability_of_no_shift([1, 2, 3], [4, 5]) == least_probability(2, 3)


def test_ties_speak_against_a_shift() -> None:
    assert probability_of_no_shift([1, 1, 1], [1, 1, 1]) == 1


def test_the_normal_tail_lies_above_the_exact_one_where_it_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    low, high = list(range(0, 60, 2)), list(range(21, 81, 2))
    exact = probability_of_no_shift(low, high)
    monkeypatch.setattr(rank_sums, "_MOST_EXACT", 0)
    normal = probability_of_no_shift(low, high)
    assert exact < 1e-3
    assert exact < normal < 3 * exact
