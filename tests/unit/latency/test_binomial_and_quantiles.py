"""The pure core against exact fractions, and by simulation with a fixed seed."""

from __future__ import annotations

import random
from fractions import Fraction
from math import comb

import pytest

from pytest_taskq.latency.binomial import at_least, at_most, proved_to, refuted_from, upper_bound
from pytest_taskq.latency.quantiles import Quantile


def exactly_at_least(k: int, n: int, p: Fraction) -> Fraction:
    return sum((comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(max(k, 0), n + 1)), Fraction())


@pytest.mark.parametrize("p", [Fraction(1, 20), Fraction(1, 2), Fraction(19, 20)])
@pytest.mark.parametrize("n", [1, 7, 40])
def test_tails_are_those_of_exact_fractions(n: int, p: Fraction) -> None:
    for k in range(-1, n + 2):
        assert at_least(k, n, float(p)) == pytest.approx(float(exactly_at_least(k, n, p)), rel=1e-10, abs=1e-300)
        assert at_most(k, n, float(p)) == pytest.approx(float(1 - exactly_at_least(k + 1, n, p)), rel=1e-10, abs=1e-15)


def test_a_tail_far_out_keeps_its_digits() -> None:
    assert at_least(97, 1000, 0.05) == pytest.approx(float(exactly_at_least(97, 1000, Fraction(1, 20))), rel=1e-9)
    assert at_least(200, 200, 0.05) == pytest.approx(0.05**200, rel=1e-9)


@pytest.mark.parametrize(
    ("n", "error", "k"), [(1000, 1e-6, 87), (1000, 1e-9, 97), (2000, 1e-9, 164), (10000, 1e-9, 637)]
)
def test_refutations_are_those_of_the_literature(n: int, error: float, k: int) -> None:
    assert refuted_from(n, 0.05, error) == k


@pytest.mark.parametrize(("error", "least"), [(1e-3, 135), (1e-6, 270), (1e-9, 405)])
def test_below_so_many_samples_nothing_is_proved(error: float, least: int) -> None:
    assert proved_to(least - 1, 0.05, error) is None
    assert proved_to(least, 0.05, error) == 0


@pytest.mark.parametrize("n", [1, 6, 30, 200])
def test_the_two_counts_are_the_outermost_that_keep_the_error(n: int) -> None:
    error, p = 1e-4, 0.2
    tails = [k for k in range(n + 1) if at_least(k, n, p) < error]
    heads = [k for k in range(n + 1) if at_most(k, n, p) < error]
    assert refuted_from(n, p, error) == (min(tails) if tails else None)
    assert proved_to(n, p, error) == (max(heads) if heads else None)


def test_a_percentile_is_a_sample_that_so_many_do_not_exceed() -> None:
    samples = [float(number) for number in range(1, 101)]
    random.Random(1).shuffle(samples)  # noqa: S311 - a fixed seed
    assert [Quantile.of(samples, share).value for share in (0.5, 0.95, 0.99)] == [50, 95, 99]
    assert Quantile.of([3.0], 0.95) == Quantile(3.0, None, None)


def test_nothing_measured_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        Quantile.of([], 0.5)


@pytest.mark.parametrize("share", [0.5, 0.95])
@pytest.mark.parametrize("n", [60, 400])
def test_the_ranks_of_an_interval_are_the_tightest_that_hold_it(share: float, n: int) -> None:
    found = Quantile.of([float(rank) for rank in range(1, n + 1)], share)
    lows = [rank for rank in range(1, n + 1) if at_most(rank - 1, n, share) <= 0.025]
    highs = [rank for rank in range(1, n + 1) if at_least(rank, n, share) <= 0.025]
    assert found.low == (max(lows) if lows else None)
    assert found.high == (min(highs) if highs else None)


@pytest.mark.parametrize(("share", "true"), [(0.5, 0.25), (0.95, 0.9025)])
def test_intervals_hold_the_true_percentile_as_often_as_they_say(share: float, true: float) -> None:
    chance, tries = random.Random(7), 600  # noqa: S311 - a fixed seed
    held = 0
    for _ in range(tries):
        found = Quantile.of([chance.random() ** 2 for _ in range(200)], share)
        held += (found.low or 0) <= true <= (found.high or 1)
    assert held / tries >= 0.95 - 4 * (0.05 * 0.95 / tries) ** 0.5


@pytest.mark.parametrize(("k", "n"), [(0, 1), (0, 60), (3, 25), (25, 25)])
def test_the_upper_bound_is_where_the_tail_reaches_the_error(k: int, n: int) -> None:
    bound = upper_bound(k, n, 0.05)
    assert at_most(k, n, bound) == pytest.approx(0.05 if k < n else 1, abs=1e-3)
    assert upper_bound(0, 0, 0.05) == 1
