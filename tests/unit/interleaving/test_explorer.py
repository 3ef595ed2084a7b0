from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import random
import selectors
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from mutant_queues import races

from pytest_taskq import QueueAdapter
from pytest_taskq.contract import Finding, Verdict
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.instruments import interleavings
from pytest_taskq.instruments.budget import Budget
from pytest_taskq.instruments.interleavings import InterleavingsJudge
from pytest_taskq.interleaving import listening
from pytest_taskq.interleaving.choices import Token
from pytest_taskq.interleaving.exploration import Exploration
from pytest_taskq.interleaving.scenarios import scenarios_of
from pytest_taskq.reference_impl import Adapter
from pytest_taskq.sqlite import library as sqlite_library
from pytest_taskq.subject import Bench, Stores, Subject
from pytest_taskq.subject.violation import InconclusiveError, NotJudgedError

OPTION = "--taskq-replay="
PR = Budget("pr")
SMOKE = Budget("smoke")


class Racy(races.OwnConnections):
    """Selects, then updates: each statement a transaction of its own."""

    def connected(self) -> sqlite3.Connection:
        return sqlite3.connect(self.dsn.removeprefix("sqlite:///"), timeout=5, isolation_level=None)

    def claim_task(self, worker_id, capabilities, lease_seconds):
        with closing(self.connected()) as connection:
            connection.row_factory = sqlite3.Row
            return self.claim(connection, worker_id, lease_seconds)


class RacyAsync(Racy):
    async def claim_task(self, worker_id, capabilities, lease_seconds):
        await asyncio.sleep(0.01)
        return super().claim_task(worker_id, capabilities, lease_seconds)


class SleepsFirst(races.UpgradesItsLock):
    """Its transactions never meet if each sleeper waits for the commit of the one before."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        time.sleep(0.01)
        return super().claim_task(worker_id, capabilities, lease_seconds)


class SafeAsync(QueueAdapter):
    async def claim_task(self, worker_id, capabilities, lease_seconds):
        await asyncio.sleep(random.uniform(0.001, 0.005))  # noqa: S311 - a pause is no secret
        return self.reference.claim_task(worker_id, capabilities, lease_seconds)


class PastTheHook(Racy):
    """Makes its connections where the kit does not look."""

    def connected(self) -> sqlite3.Connection:
        return sqlite3.Connection(self.dsn.removeprefix("sqlite:///"), timeout=5, isolation_level=None)


class Locked(Racy):
    """Safe within one process: a lock in Python is held across the statements."""

    lock = threading.Lock()

    def claim_task(self, worker_id, capabilities, lease_seconds):
        with self.lock:
            return super().claim_task(worker_id, capabilities, lease_seconds)


class Counting(QueueAdapter):
    """Writes a number into its SQL that no run begins with again."""

    numbers = count(1)

    def claim_task(self, worker_id, capabilities, lease_seconds):
        with closing(sqlite3.connect(self.dsn.removeprefix("sqlite:///"))) as connection:
            connection.execute(f"SELECT {next(self.numbers)}").fetchone()
        return self.reference.claim_task(worker_id, capabilities, lease_seconds)


def plain_connection(*arguments: Any, **keywords: Any) -> sqlite3.Connection:
    return sqlite3.Connection(*arguments, **keywords)


class Factory(QueueAdapter):
    """Its connections come from a function, so that the kit sees their statements and not their rows."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        path = self.dsn.removeprefix("sqlite:///")
        with closing(sqlite3.connect(path, factory=plain_connection)) as connection:
            connection.execute("SELECT 1").fetchone()
            connection.execute("SELECT 2").fetchone()
        return self.reference.claim_task(worker_id, capabilities, lease_seconds)


def bench_of(adapter: type, folder: Path, **options: Any) -> Bench:
    subject = Subject(f"tests:{adapter.__name__}", adapter)
    return Bench(subject, Stores(subject, folder), **options)


def judged(adapter: type, folder: Path, budget: Budget = SMOKE, requirement: str = "CLM-02", **options: Any) -> Finding:
    bench = bench_of(adapter, folder, **options)
    return bench.run(lambda: InterleavingsJudge().judge(REQUIREMENTS[requirement], bench, budget))


def token_of(finding: Finding) -> str:
    assert finding.verdict is Verdict.FAIL, finding
    assert finding.replay.startswith(OPTION)
    return finding.replay.removeprefix(OPTION)


@pytest.fixture
def hidden_symbols(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Python whose SQLite is linked in statically, without its symbols."""
    monkeypatch.setattr(sqlite_library, "_candidates", lambda: iter([sys.modules["_ctypes"].__file__]))
    sqlite_library.find_library.cache_clear()
    yield
    sqlite_library.find_library.cache_clear()


# --- what is found ----------------------------------------------------------------------------------------------------


def test_a_race_has_the_same_token_twenty_times(tmp_path: Path) -> None:
    findings = [judged(Racy, tmp_path / str(number)) for number in range(20)]
    assert len({token_of(finding) for finding in findings}) == 1
    assert len({finding.reason for finding in findings}) == 1
    assert Token.parse(token_of(findings[0])).scenario == "claim-of-the-last-task-by-2"
    assert "one claim returns task 1" in findings[0].reason


def test_its_token_replays_the_same_violation(tmp_path: Path) -> None:
    first = judged(Racy, tmp_path / "found")
    again = judged(Racy, tmp_path / "replayed", Budget("smoke", replay=token_of(first)))
    assert (again.verdict, again.reason, again.replay) == (Verdict.FAIL, first.reason, first.replay)
    columns = [finding.evidence.partition("\n")[2] for finding in (first, again)]  # the head counts the runs
    assert columns[0] == columns[1]
    assert "run 1, 1 deviation from" in again.evidence


def test_its_token_passes_nothing_once_the_race_is_gone(tmp_path: Path) -> None:
    token = Token.parse(token_of(judged(Racy, tmp_path / "found")))
    short = Token(token.requirement, token.scenario, token.schedule[:1])
    with pytest.raises(InconclusiveError, match="keeps the requirement now"):
        judged(Adapter, tmp_path / "fixed", Budget("smoke", replay=str(short)))


def test_a_token_whose_steps_a_mend_made_impossible_says_so_and_passes_nothing(tmp_path: Path) -> None:
    token = token_of(judged(Racy, tmp_path / "found"))
    with pytest.raises(InconclusiveError, match=r"step \d+ \([ab]\) is not possible any more.*keeps the requirement"):
        judged(Adapter, tmp_path / "fixed", Budget("smoke", replay=token))


def test_a_token_of_another_requirement_or_scenario_judges_nothing(tmp_path: Path) -> None:
    with pytest.raises(InconclusiveError, match="about CLM-09"):
        judged(Racy, tmp_path / "a", Budget("smoke", replay="CLM-09.x.a"))
    with pytest.raises(NotJudgedError, match=r"no scenario 'x'.*claim-of-the-last-task-by-2"):
        judged(Racy, tmp_path / "b", Budget("smoke", replay="CLM-02.x.a"))


@pytest.mark.parametrize("requirement", ["CLM-02", "CLM-09"])
def test_every_schedule_of_the_reference_keeps_the_requirement(tmp_path: Path, requirement: str) -> None:
    bench = bench_of(Adapter, tmp_path)
    scenarios = [one for one in scenarios_of(requirement, bench.subject) if not one.thorough]
    assert scenarios
    for scenario in scenarios:
        exploration = Exploration(scenario, bench)
        assert bench.run(lambda exploration=exploration: exploration.search(2_000)).found is None
        assert exploration.explored.exhausted
        assert exploration.rows_seen
        assert exploration.explored.cut > 0
        assert exploration.explored.complete > 1


def test_a_scenario_that_requirements_share_is_explored_once(tmp_path: Path) -> None:
    bench, judge = bench_of(Adapter, tmp_path), InterleavingsJudge()
    before = None
    for requirement in ("LSE-02", "LSE-04"):
        finding = bench.run(lambda requirement=requirement: judge.judge(REQUIREMENTS[requirement], bench, SMOKE))
        assert finding.verdict is Verdict.PASS
        shared = next(one for one in scenarios_of(requirement, bench.subject) if one.name == "renew-while-reclaim")
        known = interleavings._KNOWN[shared][SMOKE]
        assert before in (None, known)
        before = known


def test_coroutines_are_scheduled_between_their_statements(tmp_path: Path) -> None:
    assert "one claim returns task 1" in judged(RacyAsync, tmp_path / "racy").reason


def test_coroutines_that_sleep_repeat_themselves(tmp_path: Path) -> None:
    assert judged(SafeAsync, tmp_path / "safe").verdict is Verdict.PASS


class AcceptsEverything(QueueAdapter):
    def cancel_task(self, task_id):
        return True


def test_an_actor_that_ended_is_not_taken_for_one_whose_thread_has_its_number(tmp_path: Path) -> None:
    findings = [judged(AcceptsEverything, tmp_path / str(number), requirement="ENQ-10") for number in range(20)]
    assert {finding.verdict for finding in findings} == {Verdict.FAIL}, {finding.reason for finding in findings}


def test_who_sleeps_without_having_met_a_lock_may_go_on_at_any_moment(tmp_path: Path) -> None:
    finding = judged(SleepsFirst, tmp_path, requirement="CLM-09")
    assert finding.verdict is Verdict.FAIL
    assert "database is locked after 0.02 s of 5 s" in finding.reason


def test_a_fault_of_the_kit_does_not_pass_for_one_of_the_team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise LookupError("the kit's own")

    monkeypatch.setattr(listening, "plain", broken)
    with pytest.raises(LookupError, match="the kit's own"):
        judged(Racy, tmp_path)


def test_garbage_of_earlier_runs_does_not_count_as_an_act_of_a_worker(tmp_path: Path) -> None:
    bench = bench_of(SafeAsync, tmp_path)
    scenario = next(one for one in scenarios_of("CLM-02", bench.subject) if one.name == "claim-while-reclaim")
    threshold = gc.get_threshold()
    gc.set_threshold(20)
    try:
        assert bench.run(lambda: Exploration(scenario, bench).search(2_000)).found is None
    finally:
        gc.set_threshold(*threshold)


# --- what cannot be judged --------------------------------------------------------------------------------------------


def test_connections_past_the_hook_are_never_a_pass(tmp_path: Path) -> None:
    finding = judged(PastTheHook, tmp_path)
    assert finding.verdict is Verdict.NOT_RUN
    assert "cannot be scheduled" in finding.reason


def test_a_worker_that_waits_for_a_lock_in_python_lets_the_others_go_on(tmp_path: Path) -> None:
    assert judged(Locked, tmp_path).verdict is Verdict.PASS, "threads respect the lock"
    assert Locked.lock.acquire(timeout=5), "the thread that held it was left behind"
    Locked.lock.release()


def test_code_that_does_not_repeat_itself_is_inconclusive(tmp_path: Path) -> None:
    with pytest.raises(InconclusiveError, match="the code is not repeatable"):
        judged(Counting, tmp_path)


def test_without_rows_no_state_is_equal_and_all_is_claimed_only_when_all_was_run(tmp_path: Path) -> None:
    bench = bench_of(Factory, tmp_path)
    scenario = next(iter(scenarios_of("CLM-02", bench.subject)))
    exploration = Exploration(scenario, bench)
    assert bench.run(lambda: exploration.search(25)).found is None
    assert not exploration.rows_seen
    assert not exploration.explored.exhausted
    assert (exploration.explored.complete, exploration.explored.cut) == (25, 0)
    assert exploration.explored.states == 0


def test_a_search_that_was_stopped_early_does_not_speak_of_all_schedules(tmp_path: Path) -> None:
    explored = judged(Factory, tmp_path, SMOKE).explored
    assert explored
    assert all("with at most 1 preemptions" in said for said in explored.split("; ")), explored


# --- what is left behind ----------------------------------------------------------------------------------------------


def hooked() -> list[object]:
    names = [
        sqlite3.connect,
        sqlite3.dbapi2.connect,
        time.sleep,
        time.monotonic,
        time.perf_counter,
        os.urandom,
        random._urandom,
        random.Random.random,
        random.Random.getrandbits,
        selectors.DefaultSelector.select,
    ]
    library, _ = sqlite_library.find_library()
    size = ctypes.sizeof(sqlite_library.Vfs)
    vfs = [] if library is None else [(one, ctypes.string_at(one, size)) for one in library.vfs_addresses()]
    return [*names, *vfs]


@pytest.mark.parametrize("adapter", [Adapter, Racy, RacyAsync, PastTheHook, Locked, Counting])
def test_nothing_stays_hooked(tmp_path: Path, adapter: type) -> None:
    before, threads = hooked(), threading.active_count()
    with suppress(NotJudgedError, InconclusiveError):
        judged(adapter, tmp_path, call_limit=1 if adapter is Locked else 30)
    assert hooked() == before
    deadline = time.monotonic() + 10
    while threading.active_count() > threads and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == threads


def test_chance_goes_on_where_it_was(tmp_path: Path) -> None:
    random.seed(7)
    state = random.getstate()
    judged(Racy, tmp_path)
    assert random.getstate() == state


# --- without SQLite's busy handler ------------------------------------------------------------------------------------

KILLED = [
    ("CLM-02", races.SelectsThenUpdates),
    ("CLM-02", races.ReadsBeforeTheImplicitBegin),
    ("CLM-09", races.UpgradesItsLock),
    ("CLM-12", races.SelectsABatchThenUpdates),
    ("FIN-07", races.CompletesAfterALook),
    ("MNT-06", races.ReclaimsAfterALook),
]


@pytest.fixture
def tokens(tmp_path: Path) -> dict[str, str]:
    if sqlite_library.find_library()[0] is None:
        pytest.skip("there is no VFS to do without here")
    return {
        adapter.__name__: token_of(judged(adapter, tmp_path / f"vfs-{adapter.__name__}", SMOKE, requirement))
        for requirement, adapter in KILLED
    }


def test_without_the_vfs_the_same_schedules_kill_the_same_queues(
    tokens: dict[str, str], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    request.getfixturevalue("hidden_symbols")
    assert sqlite_library.find_library()[0] is None
    found = {
        adapter.__name__: token_of(judged(adapter, tmp_path / adapter.__name__, SMOKE, requirement))
        for requirement, adapter in KILLED
    }
    assert found == tokens


@pytest.mark.usefixtures("hidden_symbols")
@pytest.mark.parametrize("requirement", ["CLM-02", "CLM-09"])
def test_without_the_vfs_the_reference_is_explored_to_the_end(tmp_path: Path, requirement: str) -> None:
    finding = judged(Adapter, tmp_path, PR, requirement)
    assert finding.verdict is Verdict.PASS
    assert "at most" not in finding.explored
