"""Snapshots at statement boundaries are what really killed processes leave, and nothing stays hooked."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Callable
from dataclasses import replace

import pytest
import queues_to_kill

from pytest_taskq.clock import sqlite_functions
from pytest_taskq.contract import Verdict
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.faults import real_death
from pytest_taskq.faults.aftermath import rows_of
from pytest_taskq.faults.operations import operations
from pytest_taskq.faults.real_death import killed_at
from pytest_taskq.faults.sweep import OutOfReachError, record
from pytest_taskq.instruments.budget import Budget
from pytest_taskq.instruments.crash_points import CrashPointsJudge
from pytest_taskq.reference_impl import Adapter
from pytest_taskq.sqlite.statements import HOOK
from pytest_taskq.subject import Bench, ContractViolation, NotJudgedError
from pytest_taskq.subject.violation import InconclusiveError

BenchOf = Callable[[type], Bench]


def judged(bench: Bench, requirement: str):
    return bench.run(lambda: CrashPointsJudge().judge(REQUIREMENTS[requirement], bench, Budget("smoke", 1)))


@pytest.mark.parametrize("name", ["claim_task", "fail_task(retry=False)", "enqueue with every option"])
def test_a_killed_process_leaves_what_the_snapshot_shows(bench_of: BenchOf, name: str) -> None:
    bench = bench_of(Adapter)

    def compare() -> int:
        one = record(bench, operations(bench.subject)[name], seed=1)
        numbers = range(len(one.statements) + 1)
        for number in numbers:
            image = next(each.image for each in reversed(one.boundaries) if each.number <= number)
            job = {"operation": name, "seed": 1, "die_at": number}
            real = killed_at(bench, one.start, one.began, job)
            bench.clock.milliseconds = one.moment
            assert rows_of(bench, real, one) == rows_of(bench, image, one), one.statements[:number]
        return len(numbers)

    assert bench.run(compare) > 3  # points at which it dies


def test_nothing_stays_hooked(bench_of: BenchOf) -> None:
    before = sqlite3.connect, sqlite3.dbapi2.connect, sqlite3.Connection
    with pytest.raises(ContractViolation):
        judged(bench_of(queues_to_kill.TwoStatements), "ENQ-08")
    assert (sqlite3.connect, sqlite3.dbapi2.connect, sqlite3.Connection) == before
    assert HOOK.listener is None
    assert sqlite_functions.IN_FORCE.clock is None


def test_a_breach_is_shown_with_the_statement_where_the_process_died(bench_of: BenchOf) -> None:
    with pytest.raises(ContractViolation) as found:
        judged(bench_of(queues_to_kill.TwoStatements), "ENQ-08")
    calls = found.value.calls
    arrow = calls.index("===> the process dies here")
    assert "INSERT INTO task_queue" in calls[arrow - 1]
    assert any("SET idempotency_key" in line for line in calls[arrow:])
    assert "SIGKILL" in found.value.seen


def test_a_breach_that_a_real_death_does_not_show_is_no_failure(bench_of: BenchOf, monkeypatch) -> None:
    monkeypatch.setattr(queues_to_kill.OnlyInTheProcessOfTheTests, "HERE", True)
    with pytest.raises(InconclusiveError, match=r"not confirmed by a real death: enqueue with every option"):
        judged(bench_of(queues_to_kill.OnlyInTheProcessOfTheTests), "ENQ-08")


def test_a_process_that_hangs_is_ended_and_inconclusive(bench_of: BenchOf, monkeypatch) -> None:
    monkeypatch.setattr(queues_to_kill.Hangs, "HERE", True)
    monkeypatch.setattr(real_death, "LIMIT", 2.0)
    started: list[subprocess.Popen[str]] = []
    init = subprocess.Popen.__init__

    def noted(self, *arguments, **options) -> None:
        started.append(self)
        init(self, *arguments, **options)

    monkeypatch.setattr(subprocess.Popen, "__init__", noted)
    bench = bench_of(queues_to_kill.Hangs)

    def die() -> None:
        one = record(bench, operations(bench.subject)["enqueue"], seed=1)
        killed_at(bench, one.start, one.began, {"operation": "enqueue", "seed": 1, "die_at": 1})

    with pytest.raises(InconclusiveError, match="did not get through the call within 2 s"):
        bench.run(die)
    assert [process.returncode is not None for process in started] == [True]


def test_an_adapter_that_no_other_process_can_import_is_inconclusive(bench_of: BenchOf) -> None:
    class Local(queues_to_kill.TwoStatements):
        pass

    with pytest.raises(InconclusiveError, match=r"ended with 1 and said: .*Local"):
        judged(bench_of(Local), "ENQ-08")


def test_what_goes_wrong_without_a_death_is_no_matter_of_deaths(bench_of: BenchOf) -> None:
    with pytest.raises(NotJudgedError, match=r"goes wrong where nothing is cut short: .*this key was used"):
        judged(bench_of(queues_to_kill.RefusesAKeyTwice), "ENQ-08")


def test_a_queue_without_its_preparation_is_not_judged(bench_of: BenchOf) -> None:
    with pytest.raises(NotJudgedError, match="did not come about"):  # the claim of what was enqueued before
        judged(bench_of(queues_to_kill.EnqueuesNowhere), "ENQ-08")


def test_a_call_that_fails_where_nothing_fails_is_not_judged(bench_of: BenchOf) -> None:
    bench = bench_of(Adapter)
    refused = replace(operations(bench.subject)["complete_task"], succeeded=lambda _: False)
    with pytest.raises(NotJudgedError, match="does not succeed where nothing fails"):
        bench.run(lambda: record(bench, refused, seed=1))


@pytest.mark.parametrize("adapter", [queues_to_kill.Small, queues_to_kill.SmallAndTerse])
@pytest.mark.parametrize("requirement", ["ENQ-08", "CLM-06", "FIN-06"])
def test_a_queue_with_an_sqlite_file_of_its_own_is_judged(bench_of: BenchOf, requirement: str, adapter: type) -> None:
    assert judged(bench_of(adapter), requirement).verdict is Verdict.PASS


def test_a_queue_of_its_own_that_forgets_a_task_is_failed(bench_of: BenchOf) -> None:
    with pytest.raises(ContractViolation, match=r"every task is still stored; seen task 3: not there"):
        judged(bench_of(queues_to_kill.SmallAndForgetful), "CLM-06")


def test_a_connection_that_nobody_watches_is_unsupported_or_not_judged(bench_of: BenchOf) -> None:
    bench = bench_of(queues_to_kill.Blind)
    finding = judged(bench, "ENQ-08")
    assert finding.verdict is Verdict.UNSUPPORTED
    assert "no statement of enqueue" in finding.reason
    with pytest.raises(OutOfReachError):
        bench.run(lambda: record(bench, operations(bench.subject)["enqueue"], seed=1))


def test_a_queue_that_shows_no_tasks_offers_nothing_to_judge(bench_of: BenchOf) -> None:
    finding = judged(bench_of(queues_to_kill.Opaque), "ENQ-08")
    assert finding.verdict is Verdict.NOT_OFFERED
    assert "shows no tasks" in finding.reason
