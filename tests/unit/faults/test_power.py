"""Power cuts are judged where they are promised to do no harm, on logs that are whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import pytest
import queues_to_kill

from pytest_taskq import Promises
from pytest_taskq.contract import Verdict
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.faults.file_calls import why_out_of_reach
from pytest_taskq.faults.operations import operations
from pytest_taskq.faults.power import _refuse_if_incomplete, record_files
from pytest_taskq.faults.sweep import OutOfReachError
from pytest_taskq.instruments.budget import Budget
from pytest_taskq.instruments.durability import PowerJudge
from pytest_taskq.reference_impl import Adapter, QueueDatabase
from pytest_taskq.subject import Bench, ContractViolation

pytestmark = pytest.mark.skipif(why_out_of_reach() is not None, reason=str(why_out_of_reach()))
BenchOf = Callable[[type], Bench]


class Powered(Adapter):
    promises: ClassVar[Promises] = Promises(durability="power")
    SYNCHRONOUS: ClassVar[str] = "FULL"

    def open_database(self, **settings):
        return QueueDatabase.from_dsn(self.dsn, **{"synchronous": self.SYNCHRONOUS, **settings})


class Normal(Powered):
    SYNCHRONOUS: ClassVar[str] = "NORMAL"


class SmallPowered(queues_to_kill.Small):
    """With a rollback journal FULL does not do: its deletion is not synced."""

    promises: ClassVar[Promises] = Promises(durability="power", not_offered=queues_to_kill.Small.promises.not_offered)
    SYNCHRONOUS: ClassVar[str] = "EXTRA"

    def __init__(self, dsn):
        super().__init__(dsn)
        self.connection.execute(f"PRAGMA synchronous = {self.SYNCHRONOUS}")


class SmallFull(SmallPowered):
    SYNCHRONOUS: ClassVar[str] = "FULL"


def judged(bench: Bench, effort="smoke"):
    return bench.run(lambda: PowerJudge().judge(REQUIREMENTS["DUR-01"], bench, Budget(effort, 1)))


def test_who_promises_no_more_than_the_process_is_not_judged(bench_of: BenchOf) -> None:
    finding = judged(bench_of(Adapter))
    assert finding.verdict is Verdict.NOT_OFFERED
    assert "'process' is promised" in finding.reason


@pytest.mark.parametrize(("adapter", "effort"), [(Powered, "smoke"), (SmallPowered, "pr")])
def test_synced_commits_pass(bench_of: BenchOf, adapter: type, effort: str) -> None:
    assert judged(bench_of(adapter), effort).verdict is Verdict.PASS


@pytest.mark.parametrize("adapter", [Normal, SmallFull])
def test_a_commit_that_is_not_synced_is_failed_with_the_calls_on_files(bench_of: BenchOf, adapter: type) -> None:
    with pytest.raises(ContractViolation, match="survives") as found:
        judged(bench_of(adapter))
    assert found.value.calls[-1].startswith("===> the power fails here; of what is not synced, none of it")
    assert any("queue.db" in line and line.strip()[0].isdigit() for line in found.value.calls[-5:-1])


def test_a_log_that_misses_a_write_is_not_judged(bench_of: BenchOf) -> None:
    bench = bench_of(Powered)
    one = bench.run(lambda: record_files(bench, operations(bench.subject)["enqueue"], seed=1))
    end = dict(one.start)
    with pytest.raises(OutOfReachError, match="by a way that was not seen"):
        _refuse_if_incomplete(one.start, one.calls, end, one.outcome)
