"""A client that dies here leaves on the server what a killed process leaves, and nothing stays hooked."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import queues_on_server

from pytest_taskq.contract import Verdict
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.faults.operations import operations
from pytest_taskq.instruments.budget import Budget
from pytest_taskq.instruments.crash_points import CrashPointsJudge
from pytest_taskq.reference_impl import Adapter
from pytest_taskq.subject import Bench, ContractViolation, NotJudgedError
from pytest_taskq.subject.violation import InconclusiveError

psycopg = pytest.importorskip("psycopg")
server_deaths = pytest.importorskip("pytest_taskq.faults.server_deaths")

BenchOf = Callable[[type], Bench]
ENQUEUE = "enqueue with every option"


def judged(bench: Bench, requirement: str):
    return bench.run(lambda: CrashPointsJudge().judge(REQUIREMENTS[requirement], bench, Budget("smoke", 1)))


@pytest.mark.parametrize(
    ("adapter", "name"),
    [
        (queues_on_server.TwoTransactions, ENQUEUE),
        (queues_on_server.CleansUpAfterItself, "enqueue"),
        (Adapter, "claim_task"),
        (Adapter, "delete_finished"),
    ],
)
def test_a_killed_process_leaves_what_a_death_here_leaves(
    server_bench_of: BenchOf, monkeypatch: pytest.MonkeyPatch, adapter: type, name: str
) -> None:
    left: list[object] = []

    class Noted(server_deaths.Aftermath):
        def breach_in(self, queue, *, acknowledged):
            rows = server_deaths.read_rows(queue, [])
            left.append([{k: v for k, v in row.items() if k != "weighted_draw"} for row in rows.values()])

    monkeypatch.setattr(server_deaths, "Aftermath", Noted)
    bench = server_bench_of(adapter)

    def compare() -> int:
        whole = server_deaths.whole_call(bench, operations(bench.subject)[name], seed=1)
        points = len(whole.recording.statements)
        for number in range(points + 1):
            left.clear()
            server_deaths.breach_of_death(bench, whole, number, seed=1)
            server_deaths.breach_of_real_death(bench, whole, number, {"operation": name, "seed": 1})
            here, real = left
            assert here == real, whole.recording.statements[:number]
        return points

    monkeypatch.setattr(Noted, "again", lambda *_: None, raising=False)
    assert bench.run(compare) >= 1


def test_a_breach_is_shown_with_the_statement_where_the_process_died(server_bench_of: BenchOf) -> None:
    with pytest.raises(ContractViolation) as found:
        judged(server_bench_of(queues_on_server.TwoTransactions), "ENQ-08")
    calls = found.value.calls
    arrow = calls.index("===> the process dies here")
    assert any("SET idempotency_key" in line for line in calls[arrow:])
    assert "SIGKILL" in found.value.seen


def test_nothing_stays_hooked(server_bench_of: BenchOf) -> None:
    kept = [(one, vars(one)["wait"], vars(one)["close"]) for one in (psycopg.Connection, psycopg.AsyncConnection)]
    with pytest.raises(ContractViolation):
        judged(server_bench_of(queues_on_server.TwoTransactions), "ENQ-08")
    assert [(one, vars(one)["wait"], vars(one)["close"]) for one, _, _ in kept] == kept
    assert server_deaths.HOOK.listener is None


def test_a_breach_that_a_real_death_does_not_show_is_no_failure(server_bench_of: BenchOf, monkeypatch) -> None:
    monkeypatch.setattr(queues_on_server.OnlyInTheProcessOfTheTests, "HERE", True)
    with pytest.raises(InconclusiveError, match=r"not confirmed by a real death: enqueue with every option"):
        judged(server_bench_of(queues_on_server.OnlyInTheProcessOfTheTests), "ENQ-08")


@pytest.mark.parametrize(
    "adapter", [queues_on_server.CleansUpAfterItself, queues_on_server.ReturnsNothingWhenInterrupted]
)
def test_what_handlers_do_is_not_done_by_the_dead(server_bench_of: BenchOf, adapter: type) -> None:
    assert judged(server_bench_of(adapter), "ENQ-08").verdict is Verdict.PASS


def test_statements_that_nobody_sees_are_not_judged(server_bench_of: BenchOf) -> None:
    with pytest.raises(NotJudgedError, match=r"not all statements of enqueue.* were seen"):
        judged(server_bench_of(queues_on_server.BelowTheDriver), "ENQ-08")
