"""A fault of the storage is brought about, proven to have struck, and judged by what the queue makes of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest
import queues_to_kill

from pytest_taskq import QueueAdapter
from pytest_taskq.contract import Verdict
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.faults.file_calls import why_out_of_reach
from pytest_taskq.faults.operations import operations
from pytest_taskq.faults.storage import FAULTS, strike
from pytest_taskq.instruments import durability
from pytest_taskq.instruments.budget import Budget
from pytest_taskq.instruments.durability import StorageFaultsJudge, positions
from pytest_taskq.reference_impl import Adapter
from pytest_taskq.subject import Bench, NotJudgedError
from pytest_taskq.subject.violation import InconclusiveError

pytestmark = pytest.mark.skipif(why_out_of_reach() is not None, reason=str(why_out_of_reach()))
BenchOf = Callable[[type], Bench]


def judged(bench: Bench):
    return bench.run(lambda: StorageFaultsJudge().judge(REQUIREMENTS["DUR-02"], bench, Budget("smoke", 1)))


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_each_fault_reaches_the_caller_as_the_error_that_it_is(bench_of: BenchOf, fault) -> None:
    bench = bench_of(Adapter)
    operation = operations(bench.subject)["complete_task"]

    def strike_each() -> list[str]:
        control = strike(bench, operation, seed=1)
        assert (control.struck, control.breach, control.outcome.error) == (False, None, None)
        count = sum(map(fault.concerns, control.calls))
        found = [
            strike(bench, operation, seed=1, fault=fault, at=at, undisturbed=control.after)
            for at in range(1, count + 1)
        ]
        assert all(one.struck and one.breach is None for one in found)
        return [type(one.outcome.error.__cause__).__name__ for one in found if one.outcome.error]

    assert set(bench.run(strike_each)) == {sqlite3.OperationalError.__name__}


def test_a_fault_that_never_strikes_is_seen_to_have_struck_nothing(bench_of: BenchOf) -> None:
    bench = bench_of(Adapter)
    operation = operations(bench.subject)["complete_task"]
    late = bench.run(lambda: strike(bench, operation, seed=1, fault=FAULTS[0], at=10_000))
    assert not late.struck


def test_a_queue_that_writes_nothing_is_not_judged(bench_of: BenchOf) -> None:
    class Idle(QueueAdapter):
        def renew_lease(self, task, worker_id, lease_seconds):
            return True

    with pytest.raises(NotJudgedError, match="no fault struck"):
        judged(bench_of(Idle))


def test_what_goes_wrong_without_any_fault_is_said_in_words(bench_of: BenchOf) -> None:
    class RenewsNever(QueueAdapter):
        def renew_lease(self, task, worker_id, lease_seconds):
            raise LookupError("no lease here")

    said = r"no fault strikes: expected the queue works again .*; seen raises ValueError: this key was used$"
    with pytest.raises(NotJudgedError, match=said):
        judged(bench_of(queues_to_kill.RefusesAKeyTwice))
    with pytest.raises(NotJudgedError, match=r"no fault strikes: raises LookupError: no lease here$"):
        judged(bench_of(RenewsNever))


def test_a_queue_of_its_own_is_judged_where_its_files_are_seen(bench_of: BenchOf) -> None:
    assert judged(bench_of(queues_to_kill.Small)).verdict is Verdict.PASS
    assert judged(bench_of(queues_to_kill.SmallAndTerse)).verdict is Verdict.PASS
    assert judged(bench_of(queues_to_kill.Opaque)).verdict is Verdict.NOT_OFFERED


def test_used_up_time_is_inconclusive(bench_of: BenchOf, monkeypatch) -> None:
    monkeypatch.setitem(durability._LONGEST, "smoke", -1.0)
    with pytest.raises(InconclusiveError, match="used up after 0 faults"):
        judged(bench_of(Adapter))


@pytest.mark.parametrize(
    ("count", "most", "expected"),
    [(0, 4, []), (3, 4, [1, 2, 3]), (9, 1, [9]), (9, 3, [1, 5, 9]), (100, 4, [1, 34, 67, 100])],
)
def test_positions_are_spread(count: int, most: int, expected: list[int]) -> None:
    assert list(positions(count, most)) == expected
