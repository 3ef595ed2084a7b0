"""Made-up writers beside a reader of statistics."""

from __future__ import annotations

import pytest

from pytest_taskq.contract import Verdict
from pytest_taskq.instruments.watched_writers import is_slower, verdict_of, waits
from pytest_taskq.latency.blocks import Block, Pair
from pytest_taskq.latency.judgement import Measurement

QUICK = Block.of([0.0002] * 300)
KEPT_WAITING = Block.of([0.05, *([0.0002] * 40)])  # 2 % of the calls, and four fifths of the time
NO_PROCESSOR = Block.of([0.05, *([0.0002] * 40)], [0.0002] * 41)
SLOW_DISK = Block.of([0.02] * 15)


def measured(*pairs: Pair) -> Measurement:
    return Measurement(name="enqueue", method="enqueue", pairs=pairs, target=0.010, looks=3)


def test_a_writer_that_is_kept_waiting_makes_the_fewer_calls_and_still_waits_most_of_the_time() -> None:
    assert waits(KEPT_WAITING) == pytest.approx(0.69, abs=0.01)
    assert waits(QUICK) == waits(NO_PROCESSOR) == 0.0


@pytest.mark.parametrize(
    ("call", "floor", "verdict"),
    [
        (KEPT_WAITING, QUICK, Verdict.FAIL),
        (QUICK, QUICK, Verdict.PASS),
        (SLOW_DISK, SLOW_DISK, Verdict.PASS),  # it takes as long beside statistics of another store
        (KEPT_WAITING, KEPT_WAITING, Verdict.PASS),
        (NO_PROCESSOR, QUICK, Verdict.PASS),  # the target is kept at p95
    ],
)
def test_a_writer_is_failed_for_what_the_reader_of_its_own_store_costs_it(
    call: Block, floor: Block, verdict: Verdict
) -> None:
    assert verdict_of(measured(*([Pair(call, floor)] * 40))) is verdict


def test_a_few_pairs_fail_nobody_and_do_not_pass_what_they_speak_against() -> None:
    slower = Pair(KEPT_WAITING, QUICK)
    assert is_slower(slower)
    assert verdict_of(measured(*([slower] * 8))) is Verdict.INCONCLUSIVE
    assert verdict_of(measured(*([slower] * 8), *([Pair(QUICK, QUICK)] * 8))) is Verdict.INCONCLUSIVE
