"""Made-up load runs: too slow, uneven, and uneven by the machine's doing."""

from __future__ import annotations

import pytest

from pytest_taskq.contract import Verdict
from pytest_taskq.history import SECOND, Kind, Operation
from pytest_taskq.latency.load import Block, Throughput, Trial, Turn, block_of, least_share, shares, tail


def block(*claims: int, seconds: float = 1.0, held_up: float = 1.0) -> Block:
    turns = tuple(
        Turn(began=0, ended=round(seconds * SECOND), claimed=one, finished=one, held_up=round(held_up * SECOND))
        for one in claims
    )
    return Block(turns, claims, seconds)


FAST = block(100, 100, 100, 100)
EVEN, UNEVEN = block(25, 25, 25, 25), block(90, 8, 1, 1)


def claimed(actor: str, call: float, returned: float, task: str | None = "t") -> Operation:
    return Operation(
        kind=Kind.CLAIM, actor=actor, call=round(call * SECOND), returned=round(returned * SECOND), task=task
    )


def test_shares_are_compared_where_all_were_ready() -> None:
    calls = [claimed("w0", 0.0, 0.1), claimed("w0", 0.3, 0.4), claimed("w1", 0.2, 0.5), claimed("w1", 0.9, 1.1)]
    found = block_of(calls, {"w0": 0, "w1": SECOND // 10}, SECOND)
    assert found.claims == (1, 1)  # one came before w1 was there, one after the end
    assert found.window == pytest.approx(0.8)
    assert [one.claimed for one in found.turns] == [2, 2]
    assert [one.held_up / SECOND for one in found.turns] == pytest.approx([0.2, 0.4])


def test_the_window_ends_where_a_claim_finds_nothing() -> None:
    calls = [claimed("w0", 0.0, 0.1), claimed("w1", 0.0, 0.1), claimed("w1", 0.2, 0.3, None), claimed("w0", 0.4, 0.5)]
    assert block_of(calls, {"w0": 0, "w1": 0}, SECOND).claims == (1, 1)


def test_a_worker_that_never_called_is_no_part_of_what_was_compared() -> None:
    found = block_of([claimed("w0", 0.0, 0.1)], {"w0": 0, "w1": 0}, SECOND)
    assert found.turns[1].claimed == 0
    assert not found.is_starved


def test_shares_add_up_and_the_least_is_a_part_of_what_is_fair() -> None:
    assert shares([30, 10]) == [0.75, 0.25]
    assert least_share([30, 10]) == 0.5
    assert least_share([0, 0]) == 0.0


@pytest.mark.parametrize(
    ("finished", "seconds", "beside", "verdict"),
    [
        (4_000, 10.0, FAST, Verdict.PASS),
        (10, 10.0, FAST, Verdict.FAIL),  # 60 a minute
        (10, 10.0, block(1, 1, 1, 1), Verdict.INCONCLUSIVE),  # the reference is as slow there
        (66, 10.0, FAST, Verdict.INCONCLUSIVE),  # near to the target
        (0, 2.0, FAST, Verdict.INCONCLUSIVE),  # too short to say
    ],
)
def test_a_throughput_is_failed_where_the_machine_could_have_done_it(
    finished: int, seconds: float, beside: Block, verdict: Verdict
) -> None:
    mine = block(finished, 0, 0, 0, seconds=seconds)
    assert Throughput(((mine, beside),), looks=10).verdict is verdict


def test_a_ragged_end_speaks_for_nobody() -> None:
    turns = [Turn(began=0, ended=one * SECOND, claimed=3, finished=3, held_up=0) for one in (1, 1, 1, 13)]
    ragged = Block(tuple(turns), (3, 3, 3, 3), 1.0)
    assert ragged.seconds == 13
    assert ragged.at_work == 4
    assert Throughput(((ragged, FAST),)).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(("seen", "mean"), [(0, 10.0), (3, 10.0), (9, 10.0), (100, 300.0)])
def test_the_bound_is_never_below_the_tail(seen: int, mean: float) -> None:
    from math import exp, lgamma, log

    exact = sum(exp(k * log(mean) - mean - lgamma(k + 1)) for k in range(seen + 1))
    assert exact <= tail(seen, mean) <= 1
    assert tail(seen, mean, above=True) == 1.0


def test_a_worker_is_starved_if_calls_kept_it() -> None:
    assert UNEVEN.is_starved
    assert not EVEN.is_starved
    assert not block(90, 8, 1, 1, held_up=0.2).is_starved  # it had no processor, or did not ask


def test_a_trial_fails_what_starves_where_the_reference_does_not() -> None:
    assert Trial(((UNEVEN, EVEN),) * 36, looks=3).verdict is Verdict.FAIL
    assert Trial(((UNEVEN, EVEN),) * 10, looks=3).verdict is Verdict.INCONCLUSIVE
    assert Trial(((UNEVEN, UNEVEN),) * 64, looks=3).verdict is Verdict.INCONCLUSIVE  # so does the reference
    assert Trial(((UNEVEN, EVEN), (EVEN, UNEVEN)) * 32, looks=3).verdict is Verdict.INCONCLUSIVE


def test_pairs_in_which_both_starve_say_nothing() -> None:
    assert Trial((*(((UNEVEN, EVEN),) * 34), *(((UNEVEN, UNEVEN),) * 16)), looks=3).verdict is Verdict.FAIL
