"""Schedules of code that asks the server's own clock: stored times are where real time is for each run."""

from __future__ import annotations

import re
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest

from pytest_taskq.clock import VirtualClock
from pytest_taskq.contract import Finding, Promises, Verdict
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.instruments.budget import Budget
from pytest_taskq.instruments.interleavings import InterleavingsJudge
from pytest_taskq.interleaving.exploration import Exploration
from pytest_taskq.interleaving.scenario import Scenario
from pytest_taskq.interleaving.scenarios import scenarios_of
from pytest_taskq.subject import Bench, Subject, UnsupportedError
from pytest_taskq.subject.violation import InconclusiveError, InexactTimeError

pytest.importorskip("psycopg")

from mutant_queues.by_keyword import AsksTheServer

from pytest_taskq.postgres.frame import SECOND, Frame
from pytest_taskq.postgres.raced import Race, untimed
from pytest_taskq.postgres.stores import SchemaStores
from pytest_taskq.reference_impl.postgres.columns import TASK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Benches = Callable[[type], Bench]

OPTION = "--taskq-replay="
SMOKE = Budget("smoke")


# --- broken -----------------------------------------------------------------------------------------------------------


class SelectsThenUpdates(AsksTheServer):
    def claim_task(self, worker_id, capabilities, lease_seconds):
        with self.db.transaction() as connection:
            found = connection.execute(
                f"SELECT id FROM task_queue WHERE status = 'queued' AND {self.DUE} ORDER BY id LIMIT 1"
            ).fetchone()
            if found is None:
                return None
            row = connection.execute(
                "UPDATE task_queue SET status = 'leased', locked_by = %s, attempts = attempts + 1, reserved_at_utc = "
                f"CURRENT_TIMESTAMP, lease_until_utc = {self.LATER} WHERE id = %s RETURNING {TASK}",
                (worker_id, lease_seconds, found["id"]),
            ).fetchone()
            return self.task_of({name: row[name] for name in row.keys()})  # noqa: SIM118 - a row is no mapping


class CompletesAfterALook(AsksTheServer):
    def complete_task(self, task, worker_id):
        with self.db.transaction() as connection:
            held = connection.execute(f"SELECT 1 FROM task_queue WHERE {self.HELD}", self.fence(task, worker_id))
            if held.fetchone() is None:
                return False
            sets = f"status = 'completed', finished_at_utc = CURRENT_TIMESTAMP, {self.FREE}"
            connection.execute(f"UPDATE task_queue SET {sets} WHERE id = %s", (task.id,))
            return True


class ReclaimsById(AsksTheServer):
    def reclaim_expired(self):
        with self.db.transaction() as connection:
            ids = [row["id"] for row in connection.execute(f"SELECT id FROM task_queue WHERE {self.OVER}").fetchall()]
            sets = f"status = 'queued', {self.FREE}"
            return connection.execute(f"UPDATE task_queue SET {sets} WHERE id = ANY (%s)", (ids,)).rowcount


class PausesInTheTransaction(AsksTheServer):
    PAUSE = 0.05

    def claim_task(self, worker_id, capabilities, lease_seconds):
        with self.db.transaction() as connection:
            connection.execute("SELECT count(*) FROM task_queue").fetchone()
            time.sleep(self.PAUSE)
        return super().claim_task(worker_id, capabilities, lease_seconds)


class SleepsForLong(PausesInTheTransaction):
    PAUSE = 12.0


class Counts(AsksTheServer):
    """Does something else each time, by a counter that outlives a run."""

    calls = 0

    def claim_task(self, worker_id, capabilities, lease_seconds):
        type(self).calls += 1
        with self.db.transaction() as connection:
            connection.execute(f"SELECT 'call {self.calls}'").fetchone()
        return super().claim_task(worker_id, capabilities, lease_seconds)


class RefusesLateEnds(AsksTheServer):
    """Correct: looks under a lock, which a reclaim passes by, and refuses what comes after its lease."""

    promises = Promises(late_finish="refuse")

    def complete_task(self, task, worker_id):
        with self.db.transaction() as connection:
            look = f"SELECT lease_until_utc > CURRENT_TIMESTAMP AS lasts FROM task_queue WHERE {self.HELD} FOR UPDATE"
            row = connection.execute(look, self.fence(task, worker_id)).fetchone()
            if row is None or not row["lasts"]:
                return False
            sets = f"status = 'completed', finished_at_utc = CURRENT_TIMESTAMP, {self.FREE}"
            connection.execute(f"UPDATE task_queue SET {sets} WHERE id = %s", (task.id,))
            return True

    def reclaim_expired(self):
        with self.db.transaction() as connection:
            over = f"SELECT id FROM task_queue WHERE {self.OVER} FOR UPDATE SKIP LOCKED"
            sets = f"status = 'queued', {self.FREE}"
            return connection.execute(f"UPDATE task_queue SET {sets} WHERE id IN ({over})").rowcount


class TellsTheTime(AsksTheServer):
    """Correct: is told times in every form, and hands them back."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        with self.db.transaction() as connection:
            asked = "SELECT CURRENT_TIMESTAMP AS now, extract(epoch FROM clock_timestamp()) AS epoch, %s::text AS here"
            row = connection.execute(asked, (time.time(),)).fetchone()
            connection.execute("SELECT %s::timestamptz - interval '1 s'", (row["now"],)).fetchone()
        return super().claim_task(worker_id, capabilities, lease_seconds)


KILLED = [
    ("CLM-02", SelectsThenUpdates, "one claim returns task 1"),
    ("FIN-07", CompletesAfterALook, "one of two ends takes effect"),
    ("MNT-06", CompletesAfterALook, "one of two ends takes effect"),
    ("LSE-04", ReclaimsById, "the renewal was accepted .*: task 1 is leased; seen it is queued"),
    ("CLM-10", PausesInTheTransaction, "a claim does not sleep between"),
]
JUDGED = ["CLM-02", "CLM-10", "ENQ-07", "FIN-07", "INF-06", "LSE-04", "MNT-06"]


@pytest.fixture
def bench_of(postgres_server: str, tmp_path: Path) -> Iterator[Benches]:
    made: list[SchemaStores] = []

    def bench_of(adapter: type) -> Bench:
        subject = Subject(f"tests:{adapter.__name__}", adapter)
        made.append(SchemaStores(subject, tmp_path / str(len(made)), postgres_server))
        made[-1]._means = "shift"  # what is found out for such a team; that takes a second
        return Bench(subject, made[-1])

    yield bench_of
    for stores in made:
        stores.close()


def judged(bench: Bench, requirement: str, budget: Budget = SMOKE) -> Finding:
    return bench.run(lambda: InterleavingsJudge().judge(REQUIREMENTS[requirement], bench, budget))


def scenario_of(bench: Bench, requirement: str, name: str) -> Scenario:
    return next(one for one in scenarios_of(requirement, bench.subject) if one.name == name)


@pytest.mark.parametrize(("requirement", "adapter", "reason"), KILLED)
def test_a_race_is_found_and_its_token_replays(bench_of: Benches, requirement, adapter, reason) -> None:
    finding = judged(bench_of(adapter), requirement)
    assert finding.verdict is Verdict.FAIL, finding
    assert re.search(reason, finding.reason)
    token = finding.replay.removeprefix(OPTION)
    again = judged(bench_of(adapter), requirement, Budget("smoke", replay=token))
    assert (again.verdict, again.replay) == (Verdict.FAIL, finding.replay)
    assert again.reason == finding.reason


def test_a_correct_team_passes_what_only_schedules_judge(bench_of: Benches) -> None:
    bench = bench_of(AsksTheServer)
    found = {requirement: judged(bench, requirement) for requirement in JUDGED}
    assert {requirement: one.verdict for requirement, one in found.items()} == dict.fromkeys(JUDGED, Verdict.PASS)
    assert "renew-an-over-lease-while-reclaim: all schedules of 2 workers" in found["LSE-04"].explored
    assert "renew-while-reclaim is unsupported, as its time passes in the middle" in found["LSE-04"].explored
    assert "with at most 1 preemptions" in found["CLM-02"].explored  # nothing is known to be equal to what was seen
    assert "up to a state seen before" not in "".join(one.explored for one in found.values())


def test_a_reclaim_that_passes_by_a_late_holder_is_right_where_late_ends_are_refused(bench_of: Benches) -> None:
    assert judged(bench_of(RefusesLateEnds), "MNT-06").verdict is Verdict.PASS


def test_times_that_are_others_in_each_run_are_no_doubt_about_it(bench_of: Benches) -> None:
    assert judged(bench_of(TellsTheTime), "CLM-09").verdict is Verdict.PASS


def test_what_does_not_repeat_itself_beside_is_inconclusive(bench_of: Benches) -> None:
    with pytest.raises(InconclusiveError, match=r"not repeatable .*'call \d"):
        judged(bench_of(Counts), "CLM-09")


def test_a_scenario_in_which_time_passes_is_unsupported(bench_of: Benches) -> None:
    bench = bench_of(AsksTheServer)
    exploration = Exploration(scenario_of(bench, "LSE-04", "renew-while-reclaim"), bench)
    with pytest.raises(UnsupportedError, match="time is to pass in the middle of a schedule"):
        bench.run(lambda: exploration.search(5))


def test_rows_are_back_in_the_kits_time_when_they_are_judged(bench_of: Benches) -> None:
    bench, seen = bench_of(AsksTheServer), []

    def look(after: Any) -> None:
        begun = after.queue.now().strftime("%Y-%m-%d %H:%M:%S")
        (row,) = after.rows().values()
        seen.append((str(row["created_at_utc"]) == begun, row["status"], after.calls[0].returned.id))

    shared = scenario_of(bench, "CLM-02", "claim-of-the-last-task-by-2")
    kept = Scenario(name=shared.name, prepare=shared.prepare, scripts=shared.scripts, judge=look)
    bench.run(lambda: Exploration(kept, bench).replay(()))
    assert seen == [(True, "leased", 1)]


def test_a_slow_run_is_made_again_and_then_no_verdict(bench_of: Benches, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_taskq.postgres.raced.LONGEST", 0)
    tries, require_quick = [], Race.require_quick
    monkeypatch.setattr(Race, "require_quick", lambda *given: (tries.append(1), require_quick(*given)))
    with pytest.raises(InconclusiveError, match="a run of one schedule took"):
        judged(bench_of(SelectsThenUpdates), "CLM-02")
    assert len(tries) == 5


@pytest.mark.parametrize(
    ("lasted", "slept", "error"),
    [(10, 0, None), (11, 0, InexactTimeError), (0, 10, None), (0, 11, UnsupportedError), (21, 0, InexactTimeError)],
)
def test_a_lease_that_is_met_is_no_verdict(lasted: float, slept: float, error: type[Exception] | None) -> None:
    clock = VirtualClock()
    shown, real = clock.milliseconds * 1000, 1_778_051_289_123_456
    frame = Frame.at(shown, real, far=[shown + 10 * SECOND] if lasted < 20 else [])
    race = Race(frame, clock, clock.milliseconds)
    clock.advance(slept)
    with nullcontext() if error is None else pytest.raises(error):
        race.require_quick(frame.began + lasted * SECOND)


def test_long_sleeps_are_no_verdict(bench_of: Benches) -> None:
    finding = judged(bench_of(SleepsForLong), "CLM-09")
    assert finding.verdict is Verdict.UNSUPPORTED
    assert re.match(r"two-claims-of-two-tasks is unsupported, as workers slept for \d+\.\d+ s", finding.reason)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=> (1, datetime.datetime(2026, 5, 6, 7, 8, 9, 10, tzinfo=zoneinfo.ZoneInfo(key='UTC')), 2)", "=> (1, …, 2)"),
        ("{'at': datetime.datetime(2026, 5, 6, tzinfo=datetime.timezone(datetime.timedelta(0)))}", "{'at': …}"),
        ("'2026-05-06 07:08:09.123456+00' 2026-05-06T07:08:09Z", "'…' …"),
        ("1778051289.25 1778051289123 60.0 1500", "… … 60.0 1500"),
    ],
)
def test_times_are_left_out_where_runs_are_compared(text: str, shown: str) -> None:
    assert untimed(text) == shown
