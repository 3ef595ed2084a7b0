"""The bet against the law of weights: fair to whoever keeps it, won from who does not, and exact in what it says."""

from __future__ import annotations

import random
from math import exp, fsum, isfinite, log
from statistics import quantiles

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_taskq.checkers.weights import (
    RIVALS,
    THRESHOLD,
    Claimable,
    WeightLaw,
    log_ratios,
    longest_wait,
    power,
    rival_shares,
    shares,
)
from pytest_taskq.checkers.weights_excluded import claims_until_found, excluded, mixed, shares_by

WEIGHTS = (1.0, 2.0, 4.0, 8.0)
MARKS = ("origin", "waited", "both", "place", "age")
PARTS = ("fresh", "retried", "delayed", "skipped", "crowd")

weights = st.floats(1e-6, 1e6)
tasks = st.builds(Claimable, weights, st.tuples(st.sampled_from("ab"), st.integers(0, 3)))
pools = st.lists(tasks, min_size=1, max_size=7)


def law_of(pool: tuple[Claimable, ...]) -> tuple[float, ...]:
    return shares(tuple(one.weight for one in pool))


def claims_to_find(rule, seed: int, most: int = 5_000) -> int:
    """Return after how many claims a queue that serves by ``rule`` is found, among all rivals of a run."""
    law, draws = WeightLaw(MARKS, PARTS), random.Random(seed)  # noqa: S311 - no secret
    pool = tuple(Claimable(weight, ("fresh", 0, ("fresh", 0), 0, place)) for place, weight in enumerate(WEIGHTS))
    for served in draws.choices(range(len(pool)), shares_by(rule, WEIGHTS), k=most):
        if law.claimed(pool, served, "fresh"):
            return law.claims
    return most + 1


def alarm(seed: int, claims: int) -> bool:
    """Draw by weight from a pool that changes with each claim; whether E has ever reached 1e9."""
    law, draws = WeightLaw(MARKS, PARTS), random.Random(seed)  # noqa: S311 - no secret
    waited = [0] * len(WEIGHTS)
    for number in range(claims):
        marked = [(("late", "fresh")[wait > 1], wait, (wait > 1, wait), place) for place, wait in enumerate(waited)]
        pool = [Claimable(one, (*marks, 0)) for one, marks in zip(WEIGHTS, marked, strict=True)]
        served = draws.choices(range(len(pool)), WEIGHTS)[0]
        if law.claimed(pool, served, PARTS[number * len(PARTS) // claims]):
            return True
        waited = [0 if place == served else min(wait + 1, 3) for place, wait in enumerate(waited)]
    return False


class TestFair:
    @given(st.lists(weights, min_size=1, max_size=8).map(tuple))
    def test_a_fixed_rival_wins_nothing_on_average_from_who_keeps_the_law(self, pool: tuple[float, ...]) -> None:
        ratios, law = log_ratios(pool), shares(pool)
        for rival in range(len(RIVALS)):
            assert fsum(law[task] * exp(ratios[task][rival]) for task in range(len(pool))) == pytest.approx(1)

    @settings(max_examples=60)
    @given(st.lists(st.tuples(pools, st.integers(0, 6), st.sampled_from("xy")), max_size=6), pools, st.data())
    def test_whatever_was_served_before_e_is_the_same_on_average_after_the_next_claim(
        self, before: list[tuple[list[Claimable], int, str]], pool: list[Claimable], data: st.DataObject
    ) -> None:
        part = data.draw(st.sampled_from("xy"))
        after = []
        for task in range(len(pool)):
            law = WeightLaw(("origin", "place"), ("x", "y"))
            for earlier, served, where in before:
                law.claimed(earlier, served % len(earlier), where)
            start = law.log10_e
            law.claimed(pool, task, part)
            after.append(10 ** (law.log10_e - start))
        assert fsum(p * e for p, e in zip(law_of(tuple(pool)), after, strict=True)) == pytest.approx(1)

    def test_nobody_has_bet_yet(self) -> None:
        law = WeightLaw(MARKS, PARTS)
        assert law.log10_e == pytest.approx(0)
        assert law.rivals == len(RIVALS) + 6 * 6
        assert law.reached is None

    def test_a_pool_of_one_is_no_evidence(self) -> None:
        law = WeightLaw()
        for _ in range(1_000):
            assert not law.claimed([Claimable(3.0)], 0)
        assert law.log10_e == pytest.approx(0)

    @pytest.mark.parametrize("seed", range(3))
    def test_a_right_draw_raises_no_alarm(self, seed: int) -> None:
        assert not alarm(seed, 2_000)

    @pytest.mark.soak
    @pytest.mark.parametrize("first", range(0, 1_000, 50))  # so that processes divide them
    def test_a_thousand_long_draws_that_keep_the_law_raise_no_alarm(self, first: int) -> None:
        assert sum(alarm(seed, 20_000) for seed in range(first, first + 50)) == 0


class TestFound:
    @pytest.mark.parametrize("rival", ["all tasks alike", "the heaviest first"])
    def test_who_does_not_look_at_weights_or_looks_for_the_heaviest_is_found_soon(self, rival: str) -> None:
        assert max(claims_to_find(RIVALS[rival], seed) for seed in range(30)) <= 200

    def test_the_square_root_of_the_weights_is_found_within_600_claims(self) -> None:
        found = sorted(claims_to_find(power(0.5), seed) for seed in range(100))
        assert found[94] <= 600

    def test_what_no_fixed_rival_thinks_of_is_learned(self) -> None:
        law = WeightLaw(("origin",), ("here", "there"))
        draws = random.Random(3)  # noqa: S311 - no secret
        pool = [Claimable(1.0, ("new",)), Claimable(1.0, ("new",)), Claimable(1.0, ("retried",))]
        while not law.claimed(pool, draws.choices(range(3), (3, 3, 1))[0], "here"):
            assert law.claims < 2_000
        assert law.best[0].startswith("a bias by origin")
        assert set(law.bias) == {"new", "retried"}
        expected, seen = law.bias["retried"]
        assert seen < expected == pytest.approx(law.claims / 3)

    def test_the_claim_at_which_it_was_won_stays(self) -> None:
        law = WeightLaw()
        pool = [Claimable(one) for one in WEIGHTS]
        while not law.claimed(pool, 0):
            pass
        won = law.claims
        assert law.log10_e >= THRESHOLD
        for _ in range(100):
            assert law.claimed(pool, 3)
        assert law.reached == won
        assert law.seen == {1.0: won, 8.0: 100}
        assert sum(law.expected.values()) == pytest.approx(law.claims)


class TestLogarithms:
    def test_coins_beyond_all_floats_are_counted(self) -> None:
        law = WeightLaw(MARKS[:1])
        pool = [Claimable(1.0, ("a",)), Claimable(1e9, ("b",))]
        for _ in range(200):
            law.claimed(pool, 0)
        assert isfinite(law.log10_e)
        assert law.log10_e > 1_000

    @given(st.lists(st.floats(1e-150, 1e150), min_size=2, max_size=5).map(tuple))
    def test_weights_as_far_apart_as_floats_can_be_are_compared(self, pool: tuple[float, ...]) -> None:
        assert sum(shares(pool)) == pytest.approx(1)
        for rule in RIVALS.values():
            assert sum(rival_shares(pool, rule)) == pytest.approx(1)
        assert all(isfinite(one) for task in log_ratios(pool) for one in task)

    @given(st.lists(weights, min_size=1, max_size=6).map(tuple), st.sampled_from([1e-200, 1e-3, 1e3, 1e200]))
    def test_only_ratios_of_weights_matter(self, pool: tuple[float, ...], times: float) -> None:
        assert shares(tuple(one * times for one in pool)) == pytest.approx(shares(pool))

    @pytest.mark.parametrize("wrong", [(), (1.0, 0.0), (1.0, -1.0), (float("nan"),), (float("inf"), 1.0)])
    def test_what_is_no_weight_is_refused(self, wrong: tuple[float, ...]) -> None:
        with pytest.raises(ValueError, match="finite numbers above 0"):
            shares(wrong)


class TestLongestWait:
    @given(st.floats(1e-4, 0.999), st.floats(-12, -1))
    def test_it_is_the_first_wait_that_is_too_unlikely(self, share: float, alarm: float) -> None:
        wait = longest_wait(share, alarm)
        # In logarithms, with room for the last bit where the chance is exactly the limit.
        assert wait * log(1 - share) <= alarm * log(10) + 1e-9
        assert (wait - 1) * log(1 - share) > alarm * log(10) - 1e-9

    def test_a_coin_may_fall_on_one_side_29_times(self) -> None:
        assert longest_wait(0.5) == 30  # 2 ** -29 is 1.9e-9
        assert longest_wait(1 / 15) == 301

    @pytest.mark.parametrize("share", [0, 1, -0.5, 1.5])
    def test_a_share_lies_between_0_and_1(self, share: float) -> None:
        with pytest.raises(ValueError, match="between 0 and 1"):
            longest_wait(share)


class TestExcluded:
    @pytest.mark.parametrize("rule", [power(0.0), power(0.5), power(2.0)], ids=["alike", "root", "square"])
    def test_the_claims_that_are_told_to_be_needed_are_those_that_a_simulation_needs(self, rule) -> None:
        told = claims_until_found(WEIGHTS, rule)
        needed = quantiles([claims_to_find(rule, seed) for seed in range(60)], n=20)[-1]
        assert told is not None
        assert 0.6 * told <= needed <= 1.1 * told

    def test_who_keeps_the_law_is_never_found(self) -> None:
        assert claims_until_found(WEIGHTS, power(1.0)) is None

    def test_more_claims_exclude_smaller_deviations(self) -> None:
        told = []
        for claims in (20, 1_000, 10_000):
            law = WeightLaw()
            law.pools[WEIGHTS] = claims
            told.append(excluded(law))
        assert told[0] == ""
        assert told[1] != told[2]
        assert "a draw blind to weights in" in told[1]

    def test_a_mixture_is_as_likely_as_its_parts(self) -> None:
        assert mixed(0.0)(WEIGHTS) == pytest.approx(shares(WEIGHTS))
        assert mixed(1.0)(WEIGHTS) == pytest.approx((0.25,) * 4)
