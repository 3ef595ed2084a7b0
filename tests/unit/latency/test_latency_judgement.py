"""Whose fault a slow call is, and whether there are enough of them to say so; by simulation with a fixed seed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import pytest

from pytest_taskq.contract import Verdict
from pytest_taskq.latency.blocks import Block, Pair, Ratio, at_equal_exposure, restlessness
from pytest_taskq.latency.exceedance import Exceedance
from pytest_taskq.latency.histogram import Histogram
from pytest_taskq.latency.judgement import Measurement

TARGET = 0.005
Draw = Callable[[int], tuple[float, float]]  # seconds and own seconds of the call of that number


def steady(seconds: float) -> Draw:
    return lambda _: (seconds, seconds)


FAST = steady(0.00005)


def series(call: Draw, floor: Draw = FAST, *, blocks: int = 20, calls: int = 25) -> Measurement:
    pairs = []
    for block in range(blocks):
        numbers = range(block * calls, (block + 1) * calls)
        one, other = ([draw(number) for number in numbers] for draw in (call, floor))
        pairs.append(Pair(*(Block.of(*zip(*drawn, strict=True)) for drawn in (one, other))))
    return Measurement(name="claim_task", method="claim_task", pairs=tuple(pairs), target=TARGET)


def verdict(measured: Measurement) -> Verdict:
    return measured.judgement.verdict


# --- counting ---------------------------------------------------------------------------------------------------------


def test_what_is_fast_passes_and_what_is_slow_fails() -> None:
    assert verdict(series(steady(0.001))) is Verdict.PASS
    assert verdict(series(steady(2 * TARGET))) is Verdict.FAIL
    assert verdict(series(steady(TARGET))) is Verdict.FAIL  # the p95 is to lie below it


def test_few_samples_prove_slowness_but_no_speed() -> None:
    assert verdict(series(steady(2 * TARGET), blocks=4, calls=8)) is Verdict.FAIL
    few = series(steady(0.001), blocks=10)
    assert verdict(few) is Verdict.INCONCLUSIVE
    assert "too few samples: 0 of 250" in few.judgement.reason


def test_a_pause_in_every_hundredth_call_passes_p95_and_shows_in_p99() -> None:
    measured = series(lambda number: (0.020, 0.020) if number % 100 == 99 else (0.0003, 0.0003), blocks=40)
    assert verdict(measured) is Verdict.PASS
    assert measured.as_details()["p99"][2] == 0.020
    assert measured.as_details()["p95"][0] == 0.0003


def test_a_pause_in_every_fifth_call_fails() -> None:
    assert verdict(series(lambda number: (0.020, 0.020) if number % 5 == 0 else (0.0003, 0.0003))) is Verdict.FAIL


def test_looks_share_the_errors() -> None:
    once, often = (Exceedance(samples=1000, exceeded=0, share=0.05, looks=looks) for looks in (1, 5))
    assert (once.fails_from, often.fails_from) == (97, 99)
    assert once.passes_to is not None
    assert often.passes_to is not None
    assert often.passes_to < once.passes_to


def test_a_series_that_is_looked_at_often_fails_what_lies_at_the_target_no_more_than_it_says() -> None:
    # A queue whose p95 is exactly the target, judged at each doubling: neither verdict in 500 tries.
    chance = random.Random(3)  # noqa: S311 - a fixed seed
    for _ in range(500):
        exceeded = samples = 0
        for grown in (50, 100, 200, 400, 800):
            exceeded += sum(chance.random() < 0.05 for _ in range(grown - samples))
            samples = grown
            found = Exceedance(samples=samples, exceeded=exceeded, share=0.05, looks=5)
            assert found.verdict is Verdict.INCONCLUSIVE


# --- whose fault ------------------------------------------------------------------------------------------------------


def test_waiting_for_a_processor_is_not_the_codes_fault() -> None:
    chance = random.Random(1)  # noqa: S311 - a fixed seed
    busy = series(lambda _: (0.012, 0.0003) if chance.random() < 0.3 else (0.0003, 0.0003))
    assert verdict(busy) is Verdict.INCONCLUSIVE
    assert "the machine is too busy" in busy.judgement.reason


def test_what_is_slow_by_itself_fails_on_a_busy_machine_too() -> None:
    assert verdict(series(lambda _: (0.040, 2 * TARGET), lambda _: (0.008, 0.00005))) is Verdict.FAIL


def test_slow_storage_excuses_a_slow_call() -> None:
    measured = series(steady(2 * TARGET), steady(0.003))
    assert verdict(measured) is Verdict.INCONCLUSIVE
    assert "the machine is too slow" in measured.judgement.reason


def test_pauses_that_hit_a_long_call_more_often_than_a_short_floor_excuse_it() -> None:
    # 30 pauses of 8 ms a second of running, unseen by the system, hit whatever runs: 0.05 ms of floor in 0.15 % of
    # the transactions, 4 ms of call in 11 % of the calls.
    chance = random.Random(5)  # noqa: S311 - a fixed seed

    def exposed(seconds: float) -> Draw:
        def draw(_: int) -> tuple[float, float]:
            spent = seconds + 0.008 * (chance.random() < 30 * seconds)
            return spent, spent

        return draw

    found = [series(exposed(0.004), exposed(0.00005), blocks=80) for _ in range(20)]
    assert any(one._own(one.pairs).verdict is Verdict.FAIL for one in found)  # else nothing was excused
    assert all(verdict(one) is not Verdict.FAIL for one in found)


def test_one_moment_does_not_decide() -> None:
    measured = series(lambda number: steady(0.030)(number) if number < 50 else steady(0.0003)(number), blocks=16)
    assert measured._own(measured.pairs).verdict is Verdict.INCONCLUSIVE
    crowded = series(lambda number: steady(0.030 if number < 200 else 0.0003)(number), blocks=8, calls=100)
    assert crowded._own(crowded.pairs).verdict is Verdict.FAIL
    single = series(lambda number: steady(0.030 if number < 200 else 0.0003)(number), blocks=4, calls=200)
    assert verdict(single) is Verdict.INCONCLUSIVE
    assert "the same few blocks" in single.judgement.reason


def test_the_reference_under_bursts_never_fails() -> None:
    chance = random.Random(11)  # noqa: S311 - a fixed seed

    def bursts(seconds: float) -> Draw:
        def draw(_: int) -> tuple[float, float]:
            waited = 0.009 if chance.random() < 0.12 else 0.0
            steal = 0.009 if chance.random() < 0.03 else 0.0
            return seconds + waited + steal, seconds + steal

        return draw

    assert all(verdict(series(bursts(0.0003), bursts(0.00005))) is not Verdict.FAIL for _ in range(100))


# --- pairs ------------------------------------------------------------------------------------------------------------


def test_a_ratio_is_the_median_over_pairs_and_one_bad_pair_moves_nothing() -> None:
    pairs = [Pair(Block.of([0.3, 0.3, 9.0]), Block.of([0.1, 0.1, 0.1])) for _ in range(20)]
    ratio = Ratio.of([*pairs, Pair(Block.of([30.0]), Block.of([0.1]))])
    assert ratio.median == pytest.approx(3)
    assert (ratio.low, ratio.high) == (pytest.approx(3), pytest.approx(3))


def test_a_call_that_did_nothing_but_wait_counts_as_a_small_ratio_and_breaks_nothing() -> None:
    pairs = [Pair(Block.of([0.3]), Block.of([0.1]))] * 10
    waited = Pair(Block.of([0.3], [0.0]), Block.of([0.1]))
    ratio = Ratio.of([*pairs, waited])
    assert ratio.median == pytest.approx(3.0)
    assert 0 < min(ratio.ratios) < 1e-9


def test_a_sign_test_needs_nearly_every_pair() -> None:
    def ratio(above: int, below: int) -> Ratio:
        return Ratio.of(
            [Pair(Block.of([4.0]), Block.of([1.0]))] * above + [Pair(Block.of([2.0]), Block.of([1.0]))] * below
        )

    assert ratio(30, 0).above(3) is Verdict.FAIL
    assert ratio(29, 1).above(3) is Verdict.INCONCLUSIVE
    assert ratio(49, 6).above(3) is Verdict.FAIL
    assert ratio(0, 20).above(3) is Verdict.PASS
    assert ratio(0, 19).above(3) is Verdict.INCONCLUSIVE


def test_a_floor_is_restless_when_its_blocks_differ() -> None:
    assert restlessness([Block.of([1.0, 1.0])] * 10) == 1
    assert restlessness([Block.of([1.0])] * 8 + [Block.of([5.0])] * 2) == 5


def test_rows_of_the_floor_take_what_follows_one_another() -> None:
    assert at_equal_exposure([Block.of([1, 2, 3]), Block.of([4, 5])], 2) == (3, 7)
    assert at_equal_exposure([Block.of([1, 2])], 9) == (3,)


# --- figures ----------------------------------------------------------------------------------------------------------


def test_a_histogram_counts_every_sample_once() -> None:
    chance = random.Random(2)  # noqa: S311 - a fixed seed
    call, floor = ([chance.random() for _ in range(count)] for count in (500, 300))
    found = Histogram.of(call, floor)
    assert (sum(found.counts), sum(found.floor), len(found.edges)) == (500, 300, len(found.counts) + 1)
    assert list(found.edges) == sorted(found.edges)
    assert sum(Histogram.of([0.1, 0.1]).counts) == 2


def test_figures_are_plain_json() -> None:
    details = series(steady(0.001)).as_details()
    assert json.loads(json.dumps(details)) == details
    assert {"name", "method", "samples", "p50", "p95", "p99", "target", "quantile", "exceeded", "allowed"} < set(
        details
    )
    assert {"floor", "ratio", "ratios", "histogram", "verdict"} < set(details)
    assert details["verdict"] == "PASS"
    assert "target p95 < 5 ms" in str(series(steady(0.001)))
