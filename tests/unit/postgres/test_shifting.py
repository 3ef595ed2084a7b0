"""Stored times are shifted for each call of code that asks the server's own clock."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from pytest_taskq.clock import VirtualClock
from pytest_taskq.contract import Instrument, Verdict
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.grading.check import RunningCheck
from pytest_taskq.grading.outcome import findings_of
from pytest_taskq.grading.record import Record
from pytest_taskq.instruments.budget import Budget
from pytest_taskq.postgres.clock import ShadowClock
from pytest_taskq.postgres.frame import GRAIN, SECOND, Frame, microseconds, moment_at
from pytest_taskq.postgres.server import schema_of_its_own
from pytest_taskq.postgres.shifting import ShiftedTime
from pytest_taskq.subject import UnsupportedError
from pytest_taskq.subject.store import SHIFTED
from pytest_taskq.subject.violation import InexactTimeError

V = 1_924_991_990_000  # milliseconds; 2030-12-31 23:59:50
LATER = "2031-01-01 00:00:50+00"  # a minute after


class Place:
    """A schema with a table of times, shifted."""

    def __init__(self, dsn: str, schema: str) -> None:
        self.dsn = dsn
        self.clock = VirtualClock()
        self.code = psycopg.connect(dsn, autocommit=True)
        shadow = ShadowClock(dsn, schema).install()
        self.code.execute("SET timezone = 'UTC'")
        self.code.execute(
            "CREATE TABLE t (id integer PRIMARY KEY, at timestamptz DEFAULT CURRENT_TIMESTAMP, due timestamptz, "
            "plain timestamp, double timestamptz GENERATED ALWAYS AS (due) STORED)"
        )
        self.time = ShiftedTime(shadow)
        self.shadow = shadow

    def kit(self, sql: str) -> list[tuple[object, ...]]:
        self.time.show(self.clock.milliseconds)
        found = self.code.execute(sql)
        rows = found.fetchall() if found.description else []
        if sql.startswith("INSERT"):
            self.time.kit_wrote()
        return rows

    def call(self, sql: str) -> object:
        with self.time.call_at(self.clock, "complete_task", ()) as call:
            found = self.code.execute(sql)
            return call.seen(found.fetchall() if found.description else None)


@pytest.fixture
def place(postgres_database: str) -> Iterator[Place]:
    with schema_of_its_own(postgres_database) as (dsn, schema):
        found = Place(dsn, schema)
        yield found
        found.code.close()
        found.shadow.close()


def test_rows_that_the_code_leaves_come_back_exactly(place: Place) -> None:
    place.kit(
        "INSERT INTO t (id, at, due, plain) VALUES (1, '2030-12-31 23:59:49.999999+00', 'infinity', NULL), "
        "(2, '2030-12-31 23:59:50.000001+00', '2039-01-01', '2029-02-03 04:05:06.789')"
    )
    before = place.kit("SELECT t::text FROM t ORDER BY id")
    for _ in range(3):
        place.call("SELECT 1")
        assert place.kit("SELECT t::text FROM t ORDER BY id") == before


def test_the_code_sees_them_where_real_time_is(place: Place) -> None:
    place.kit(
        f"INSERT INTO t (id, due) VALUES (1, '{place.clock.now()}'), (2, '{LATER}'), (3, '2030-12-31 23:59:50.001+00')"
    )
    due = "SELECT id FROM t WHERE due <= CURRENT_TIMESTAMP AND due > CURRENT_TIMESTAMP - interval '1 minute'"
    assert place.call(due) == [(1,)]
    place.clock.advance(60)
    assert place.call("SELECT id FROM t WHERE due <= now() ORDER BY id") == [(1,), (2,), (3,)]


def test_what_the_code_writes_is_at_the_virtual_moment(place: Place) -> None:
    place.call("INSERT INTO t (id, due, plain) VALUES (1, CURRENT_TIMESTAMP + interval '90.5 s', CURRENT_TIMESTAMP)")
    assert place.kit("SELECT at::text, due::text, plain::text, double = due FROM t") == [
        ("2030-12-31 23:59:50+00", "2031-01-01 00:01:20.5+00", "2030-12-31 23:59:50", True)
    ]
    place.clock.advance(0.25)
    place.call("UPDATE t SET at = due, due = CURRENT_TIMESTAMP - interval '0 s'")
    assert place.kit("SELECT at::text, due::text FROM t") == [("2031-01-01 00:01:20.5+00", "2030-12-31 23:59:50.25+00")]


def test_defaults_of_the_kits_own_rows_are_at_the_virtual_moment_too(place: Place) -> None:
    place.kit("INSERT INTO t (id) VALUES (1)")
    assert place.kit("SELECT at::text FROM t") == [("2030-12-31 23:59:50+00",)]


def test_pythons_time_is_the_servers_during_a_call(place: Place) -> None:
    with place.clock:
        with place.time.call_at(place.clock, "enqueue", ()) as call:
            server = place.code.execute("SELECT clock_timestamp() - interval '1 minute', clock_timestamp()").fetchone()
            assert server is not None
            assert (
                server[0] < datetime.now(UTC) <= place.code.execute("SELECT pg_catalog.clock_timestamp()").fetchone()[0]
            )
            call.seen(None)
        assert datetime.now(UTC) == place.clock.now()


def test_an_age_is_looked_at_from_the_other_side(place: Place) -> None:
    place.kit("INSERT INTO t (id, due) VALUES (1, '2030-12-31 23:58:50+00'), (2, '2030-12-31 23:58:49.999+00')")
    with place.time.call_at(place.clock, "delete_finished", (60.0,)) as call:
        old = place.code.execute("SELECT id FROM t WHERE due < CURRENT_TIMESTAMP - interval '60 s'").fetchall()
        call.seen(None)
    assert old == [(2,)]


@pytest.mark.parametrize("age", [float("nan"), float("inf"), -1, 1e300, None, "old", True])
def test_an_age_that_is_none_moves_nothing(age: object, place: Place) -> None:
    place.kit("INSERT INTO t (id, due) VALUES (1, '2030-12-31 23:58:50+00')")
    with place.time.call_at(place.clock, "delete_finished", (age,)) as call:
        call.seen(None)
    assert place.kit("SELECT due::text FROM t") == [("2030-12-31 23:58:50+00",)]


@pytest.mark.parametrize("lasted", [GRAIN - 1, GRAIN + 1])
def test_a_slow_call_that_stored_what_cannot_be_told_is_no_verdict(
    lasted: int, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.kit(f"INSERT INTO t (id, due) VALUES (1, '{LATER}')")
    with place.time.call_at(place.clock, "renew_lease", ()) as call:
        place.code.execute("UPDATE t SET due = CURRENT_TIMESTAMP + interval '30 s'")
        began = place.time._frame.began
        monkeypatch.setattr("pytest_taskq.postgres.shifting.microseconds", lambda _: began + lasted)
        if lasted < GRAIN:
            call.seen(None)
        else:
            with pytest.raises(InexactTimeError, match=r"a call took 0\.050 s and stored a time in t without the time"):
                call.seen(None)
        monkeypatch.undo()


def test_a_slow_call_that_stored_nothing_or_when_it_did_is_exact(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.kit(f"INSERT INTO t (id, due) VALUES (1, '{LATER}')")
    for sql in ("SELECT 1", "UPDATE t SET at = CURRENT_TIMESTAMP, due = CURRENT_TIMESTAMP + interval '31.234 s'"):
        with place.time.call_at(place.clock, "renew_lease", ()) as call:
            place.code.execute(sql)
            began = place.time._frame.began
            monkeypatch.setattr("pytest_taskq.postgres.shifting.microseconds", lambda _, at=began: at + 5 * SECOND)
            call.seen(None)
            monkeypatch.undo()
    assert place.kit("SELECT due::text FROM t") == [("2031-01-01 00:00:21.234+00",)]


@pytest.mark.parametrize("meant", [0, 60 * SECOND, 934_567, GRAIN, 7 * GRAIN - 1])
@pytest.mark.parametrize("lasted", [1, 3000, 70_000])
def test_the_server_settles_as_the_frame_does(meant: int, lasted: int, place: Place) -> None:
    frame = Frame.at(V * 1000, microseconds(datetime(2026, 5, 6, tzinfo=UTC)))
    ended = frame.began + lasted
    for written in {0, lasted // 2, lasted}:
        for beside in ([], [frame.began + lasted // 3], [frame.began, ended]):
            at = frame.began + written + meant
            row = [at, *beside]
            asked = [moment_at(one) for one in (at, frame.shown, frame.began, ended)]
            found = place.shadow.connection.execute(
                "SELECT pg_temp.taskq_settled(%s, %s, %s, %s, VARIADIC %s)", (*asked, [moment_at(one) for one in row])
            ).fetchone()
            assert microseconds(found[0]) == frame.for_kit(at, ended, row)


def test_another_process_finds_the_frame_that_rows_are_in(place: Place) -> None:
    place.kit(f"INSERT INTO t (id, due) VALUES (1, '{LATER}')")
    place.call("SELECT 1")
    other = ShiftedTime(place.shadow)
    other.show(V)
    assert place.code.execute("SELECT due::text FROM t").fetchall() == [(LATER,)]


def test_writes_of_the_code_are_counted_and_those_of_the_kit_are_not(place: Place) -> None:
    place.kit("INSERT INTO t (id) VALUES (1)")
    before = place.time.written()
    place.call("SELECT count(*) FROM t")
    place.kit("UPDATE t SET due = at")
    assert place.time.written() == before
    place.call("UPDATE t SET due = due")
    place.kit("SELECT 1")
    assert place.time.written() == before + 1


# --- what cannot be shifted -------------------------------------------------------------------------------------------


def test_a_lock_that_was_left_is_said_and_not_waited_for(place: Place) -> None:
    place.kit("INSERT INTO t (id) VALUES (1)")
    with psycopg.connect(place.dsn) as left:
        left.execute("SELECT FROM t FOR UPDATE")
        with pytest.raises(UnsupportedError, match="a transaction that the code left open holds locks"):
            place.call("SELECT 1")
    place.call("SELECT 1")


def test_a_transaction_that_has_written_stays_in_its_time(place: Place) -> None:
    place.call("SELECT 1")
    with psycopg.connect(place.dsn) as left:
        left.execute("INSERT INTO t (id) VALUES (2)")
        place.clock.advance(1)
        with pytest.raises(UnsupportedError, match="left a transaction open that has written"):
            place.call("SELECT 1")


def test_a_check_that_refuses_is_said(place: Place) -> None:
    place.kit("ALTER TABLE t ADD CHECK (due < '2030-01-01')")
    place.call("INSERT INTO t (id, due) VALUES (1, CURRENT_TIMESTAMP)")
    with pytest.raises(UnsupportedError, match="refuse that their times are shifted: CheckViolation"):
        place.kit("SELECT 1")


def test_a_role_that_may_not_switch_triggers_off_is_said(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "pytest_taskq.postgres.shifting._BEGIN",
        "BEGIN; SET LOCAL ROLE pg_monitor; SET LOCAL session_replication_role = replica",
    )
    with pytest.raises(UnsupportedError, match="may not keep triggers from firing"):
        place.call("SELECT 1")


# --- teams ------------------------------------------------------------------------------------------------------------

sys.path.insert(0, str(Path(__file__).parents[2] / "mutants"))
from mutant_queues import by_keyword as teams  # noqa: E402 - the broken ones are beside them

UNSUPPORTED = [
    (teams.FencesOnTheLease, "complete_task fences on a stored time, which shifting changes"),
    (teams.FencesOnAReceipt, "complete_task works at the server's own time and not with stored times that are shifted"),
    (teams.CutsItsTimes, r"enqueue stores whole seconds in task_queue\.run_after_utc"),
    (teams.TimesAsText, "what enqueue puts off comes in real time and not in shifted time"),
    (teams.TimesAsSeconds, "what enqueue puts off comes in real time and not in shifted time"),
    (teams.TimesOfWholeSeconds, r"task_queue\.own_seen cannot hold a shifted time"),
    (teams.StaysInATransaction, "a transaction that the code left open holds locks"),
]


def uses(bench_of: Callable[..., object], team: type) -> None:
    bench = bench_of(team)

    def check() -> None:
        with bench.queue() as queue:
            queue.enqueue()

    bench.run(check)


@pytest.mark.parametrize(("team", "reason"), UNSUPPORTED, ids=[team.__name__ for team, _ in UNSUPPORTED])
def test_a_team_whose_times_cannot_be_shifted_is_unsupported_for_its_reason(team: type, reason: str, bench_of) -> None:
    with pytest.raises(UnsupportedError, match=rf"neither by now\(\) in its schema \(.*\) nor by shifting.*{reason}"):
        uses(bench_of, team)


@pytest.mark.parametrize("team", [teams.AsksTheServer, teams.MixesClocks])
def test_a_team_that_fences_on_attempts_is_judged(team: type, bench_of) -> None:
    uses(bench_of, team)


# --- verdicts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("slow", "verdict"), [(4, Verdict.PASS), (5, Verdict.INCONCLUSIVE)])
def test_a_check_is_made_again_when_a_call_was_too_slow(slow: int, verdict: Verdict, bench_of) -> None:
    bench, tries = bench_of(teams.AsksTheServer), []
    check = RunningCheck(
        requirement=REQUIREMENTS["ENQ-01"],
        instrument=Instrument.DIRECT_EXAMPLE,
        name="x",
        budget=Budget("smoke"),
        not_offered=None,
        make_bench=lambda _: bench,
        hangs=Counter(),
    )

    def test() -> None:
        tries.append(1)
        check.record.explored(f"try {len(tries)}")
        if len(tries) <= slow:
            raise InexactTimeError("slow")

    error = None
    try:
        check.run(test, {}, bench)
    except InexactTimeError as raised:
        error = raised
    found = check.findings("call", error)
    assert [one.verdict for one in found] == [verdict]
    assert found[0].explored == ("try 5" if verdict is Verdict.PASS else "")


def test_a_pass_says_that_times_were_shifted() -> None:
    record = Record()
    record.explored("5 calls")
    record.time_note = SHIFTED
    found = findings_of(None, record, REQUIREMENTS["ENQ-01"], Instrument.DIRECT_EXAMPLE)
    assert [one.explored for one in found] == [f"5 calls, {SHIFTED}"]
