from __future__ import annotations

import re
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from pytest_taskq import QueueAdapter
from pytest_taskq.contract import Finding, Verdict
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.instruments.budget import Budget
from pytest_taskq.instruments.interleavings import InterleavingsJudge
from pytest_taskq.interleaving.exploration import Exploration
from pytest_taskq.interleaving.scenario import Scenario
from pytest_taskq.interleaving.scenarios import scenarios_of
from pytest_taskq.reference_impl import Adapter, Task
from pytest_taskq.subject import Bench, Subject
from pytest_taskq.subject.violation import InconclusiveError, NotJudgedError

psycopg = pytest.importorskip("psycopg")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Benches = Callable[..., Bench]

OPTION = "--taskq-replay="
SMOKE = Budget("smoke")
NEXT = "SELECT id FROM task_queue WHERE status = 'queued' AND run_after_utc <= now() ORDER BY id LIMIT 1"
TAKE = (
    "UPDATE task_queue SET status = 'leased', attempts = attempts + 1, locked_by = %(worker)s, "
    "reserved_at_utc = now(), lease_until_utc = now() + %(lease)s * interval '1 second' WHERE id = %(id)s RETURNING *"
)


class OwnConnections(QueueAdapter):
    """Opens a connection of its own for each call."""

    def opened(self, **options: Any) -> psycopg.Connection[Any]:
        return psycopg.connect(self.dsn, row_factory=psycopg.rows.dict_row, **options)

    def take(self, connection: Any, task_id: int, worker_id: str, lease_seconds: float) -> Task:
        parameters = {"worker": worker_id, "lease": lease_seconds, "id": task_id}
        return Task.from_dict(connection.execute(TAKE, parameters).fetchone())

    def claim(self, connection: Any, worker_id: str, lease_seconds: float, look: str = NEXT) -> Task | None:
        found = connection.execute(look).fetchone()
        return None if found is None else self.take(connection, found["id"], worker_id, lease_seconds)


# --- broken -----------------------------------------------------------------------------------------------------------


class SelectsThenUpdates(OwnConnections):
    def claim_task(self, worker_id, capabilities, lease_seconds):
        with self.opened(autocommit=True) as connection:
            return self.claim(connection, worker_id, lease_seconds)


class SelectsThenUpdatesInOneTransaction(OwnConnections):
    """READ COMMITTED: the UPDATE waits for the other worker's, then runs on the row as that one left it."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        with self.opened() as connection:
            return self.claim(connection, worker_id, lease_seconds)


class SelectsThenUpdatesAsync(QueueAdapter):
    async def claim_task(self, worker_id, capabilities, lease_seconds):
        opened = await psycopg.AsyncConnection.connect(self.dsn, row_factory=psycopg.rows.dict_row)
        async with opened as connection, connection.transaction():
            found = await (await connection.execute(NEXT)).fetchone()
            if found is None:
                return None
            parameters = {"worker": worker_id, "lease": lease_seconds, "id": found["id"]}
            return Task.from_dict(await (await connection.execute(TAKE, parameters)).fetchone())


class LocksInTwoOrders(OwnConnections):
    def claim_task(self, worker_id, capabilities, lease_seconds):
        order = "ASC" if worker_id == "w1" else "DESC"
        look = f"SELECT id FROM task_queue WHERE status = 'queued' ORDER BY id {order}"
        with self.opened() as connection:
            ids = [row["id"] for row in connection.execute(look).fetchall()]
            free = [self.locked(connection, task_id) for task_id in ids]
            mine = next((task_id for task_id in free if task_id is not None), None)
            return None if mine is None else self.take(connection, mine, worker_id, lease_seconds)

    def locked(self, connection, task_id):
        lock = "SELECT id FROM task_queue WHERE id = %s AND status = 'queued' FOR UPDATE"
        row = connection.execute(lock, (task_id,)).fetchone()
        return None if row is None else row["id"]


class CompletesAfterALook(OwnConnections):
    def complete_task(self, task, worker_id):
        with self.opened(autocommit=True) as connection:
            look = "SELECT 1 FROM task_queue WHERE id = %s AND status = 'leased' AND locked_by = %s"
            if connection.execute(look, (task.id, worker_id)).fetchone() is None:
                return False
            connection.execute(
                "UPDATE task_queue SET status = 'completed', finished_at_utc = now(), locked_by = NULL, "
                "lease_until_utc = NULL, reserved_at_utc = NULL WHERE id = %s",
                (task.id,),
            )
            return True


class RenewsAfterALook(OwnConnections):
    def renew_lease(self, task, worker_id, lease_seconds):
        with self.opened() as connection:
            look = "SELECT 1 FROM task_queue WHERE id = %s AND status = 'leased' AND locked_by = %s"
            if connection.execute(look, (task.id, worker_id)).fetchone() is None:
                return False
            until = "now() + %s * interval '1 second'"
            connection.execute(
                f"UPDATE task_queue SET lease_until_utc = {until} WHERE id = %s", (lease_seconds, task.id)
            )
            return True


class CancelsAfterALook(OwnConnections):
    def cancel_task(self, task_id):
        with self.opened(autocommit=True) as connection:
            if connection.execute(f"SELECT 1 FROM task_queue WHERE id = {task_id} AND status = 'queued'").rowcount == 0:
                return False
            connection.execute("UPDATE task_queue SET status = 'cancelled' WHERE id = %s", (task_id,))
            return True


class EnqueuesOneByOne(OwnConnections):
    def enqueue_many(self, items):
        with self.opened(autocommit=True) as connection:
            insert = "INSERT INTO task_queue (type, payload) VALUES (%s, '{}') RETURNING id"
            return [connection.execute(insert, (item["type"],)).fetchone()["id"] for item in items]


class DeletesAllAtOnce(OwnConnections):
    def delete_finished(self, older_than_seconds):
        with self.opened() as connection:
            return connection.execute(
                "DELETE FROM task_queue WHERE finished_at_utc < now() - %s * interval '1 second'", (older_than_seconds,)
            ).rowcount


KILLED = [
    ("CLM-02", SelectsThenUpdates, "one claim returns task 1", []),
    ("CLM-02", SelectsThenUpdatesInOneTransaction, "one claim returns task 1", ["blocked by b", "COMMIT"]),
    ("CLM-02", SelectsThenUpdatesAsync, "one claim returns task 1", ["blocked by b", "BEGIN"]),
    ("CLM-09", LocksInTwoOrders, "deadlock detected", ["blocked by a", "blocked by b", "DeadlockDetected", "ROLLBACK"]),
    ("FIN-02", CompletesAfterALook, "the call of a worker that lost its lease returns False", ["SELECT 1 FROM"]),
    ("LSE-03", RenewsAfterALook, "the renewal was accepted .* task 1 is leased; seen it is queued", ["15 s pass"]),
    ("ENQ-10", CancelsAfterALook, "exactly one cancels or claims the task|task 1 is leased", []),
    ("ENQ-13", EnqueuesOneByOne, "a batch of 3 is", ["INSERT INTO task_queue"]),
    ("MNT-03", DeletesAllAtOnce, "1,500 left at once", []),
]


# --- correct ----------------------------------------------------------------------------------------------------------


class WaitsForTheFirst(OwnConnections):
    """FOR UPDATE without SKIP LOCKED: who waited for a row that is gone by then is given the next one."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        with self.opened() as connection:
            return self.claim(connection, worker_id, lease_seconds, NEXT + " FOR UPDATE")


class ByLot(OwnConnections):
    """Claims in an order that the server draws by lot."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        with self.opened() as connection:
            look = NEXT.replace("ORDER BY id", "ORDER BY random()") + " FOR UPDATE SKIP LOCKED"
            return self.claim(connection, worker_id, lease_seconds, look)


class Serializable(SelectsThenUpdatesInOneTransaction):
    """The server refuses one of two that read what the other wrote."""

    def opened(self, **options):
        connection = super().opened(**options)
        connection.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
        return connection

    def claim_task(self, worker_id, capabilities, lease_seconds):
        while True:
            try:
                return super().claim_task(worker_id, capabilities, lease_seconds)
            except psycopg.errors.SerializationFailure:
                continue


# --- what is not judged -----------------------------------------------------------------------------------------------


class ReadsTheWallClock(QueueAdapter):
    def claim_task(self, worker_id, capabilities, lease_seconds):
        with psycopg.connect(self.dsn) as connection:
            connection.execute("SELECT pg_catalog.clock_timestamp()").fetchone()
        return self.reference.claim_task(worker_id, capabilities, lease_seconds)


class AnotherDriver(QueueAdapter):
    """Talks to the server by libpq alone, as drivers do that are not psycopg 3."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        connection = psycopg.pq.PGconn.connect(self.dsn.encode())
        connection.exec_(b"SELECT id FROM task_queue")
        try:
            return self.reference.claim_task(worker_id, capabilities, lease_seconds)
        finally:
            connection.finish()


class WaitsForItself(OwnConnections):
    """Locks a task on one connection and asks for it on another: nobody can end that."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        with self.opened() as first, self.opened() as second:
            first.execute("UPDATE task_queue SET priority = 1")
            return self.claim(second, worker_id, lease_seconds)


class NothingButAnotherDriver(AnotherDriver):
    def claim_task(self, worker_id, capabilities, lease_seconds):
        psycopg.pq.PGconn.connect(self.dsn.encode()).finish()


@pytest.fixture
def bench_of(postgres_server: str, tmp_path: Path) -> Iterator[Benches]:
    from pytest_taskq.postgres.stores import SchemaStores

    made: list[SchemaStores] = []

    def bench_of(adapter: type, **options: Any) -> Bench:
        subject = Subject(f"tests:{adapter.__name__}", adapter)
        made.append(SchemaStores(subject, tmp_path / str(len(made)), postgres_server))
        return Bench(subject, made[-1], **options)

    yield bench_of
    for stores in made:
        stores.close()


def judged(bench: Bench, requirement: str, budget: Budget = SMOKE) -> Finding:
    return bench.run(lambda: InterleavingsJudge().judge(REQUIREMENTS[requirement], bench, budget))


def explored(bench: Bench, scenario: Scenario, most_runs: int = 2_000) -> Exploration:
    exploration = Exploration(scenario, bench)
    assert bench.run(lambda: exploration.search(most_runs)).found is None
    return exploration


def scenario_of(bench: Bench, requirement: str, name: str) -> Scenario:
    return next(one for one in scenarios_of(requirement, bench.subject) if one.name == name)


@pytest.mark.parametrize(("requirement", "adapter", "reason", "shown"), KILLED)
def test_a_race_is_found_and_shown(bench_of: Benches, requirement, adapter, reason, shown) -> None:
    finding = judged(bench_of(adapter), requirement)
    assert finding.verdict is Verdict.FAIL, finding
    assert re.search(reason, finding.reason)
    assert [part for part in ("worker a", "worker b", *shown) if part not in finding.evidence] == []


@pytest.mark.parametrize("adapter", [SelectsThenUpdatesInOneTransaction, LocksInTwoOrders])
def test_its_token_is_the_same_each_time_and_replays_the_same_columns(bench_of: Benches, adapter) -> None:
    requirement = "CLM-02" if adapter is SelectsThenUpdatesInOneTransaction else "CLM-09"
    findings = [judged(bench_of(adapter), requirement) for _ in range(3)]
    (replay,) = {finding.replay for finding in findings}
    again = judged(bench_of(adapter), requirement, Budget("smoke", replay=replay.removeprefix(OPTION)))
    assert (again.verdict, again.replay) == (Verdict.FAIL, replay)
    tables = [finding.evidence.partition("\n")[2].partition("\nexpected")[0] for finding in (findings[0], again)]
    assert tables[0] == tables[1]


@pytest.mark.parametrize(
    ("requirement", "name"),
    [("CLM-02", "claim-of-the-last-task-by-2"), ("CLM-09", "two-claims-of-two-tasks"), ("ENQ-05", "one-key-twice")],
)
def test_every_schedule_of_the_reference_keeps_the_requirement(bench_of: Benches, requirement, name) -> None:
    bench = bench_of(Adapter)
    exploration = explored(bench, scenario_of(bench, requirement, name))
    assert exploration.explored.exhausted
    assert exploration.rows_seen
    assert exploration.explored.cut > 0


@pytest.mark.parametrize("requirement", ["CLM-02", "CLM-09"])
@pytest.mark.parametrize("adapter", [WaitsForTheFirst, ByLot, Serializable])
def test_correct_queues_pass(bench_of: Benches, adapter, requirement) -> None:
    assert judged(bench_of(adapter), requirement).verdict is Verdict.PASS


def outcomes(bench: Bench, scenario: Scenario) -> tuple[set[tuple[str, ...]], int]:
    """What all workers together can be told, and the rows that can be left."""
    seen: set[tuple[str, ...]] = set()

    def keep(after: Any) -> None:
        rows = after.queue.sql("SELECT id, status, attempts, locked_by FROM task_queue ORDER BY id")
        seen.add((*map(str, after.calls), str([tuple(row) for row in rows])))

    kept = Scenario(name=scenario.name, prepare=scenario.prepare, scripts=scenario.scripts, judge=keep)
    exploration = explored(bench, kept)
    assert exploration.explored.exhausted
    return seen, exploration.explored.runs


@pytest.mark.parametrize(
    "adapter", [SelectsThenUpdatesInOneTransaction, WaitsForTheFirst, pytest.param(Adapter, marks=pytest.mark.soak)]
)
def test_runs_that_stop_in_a_state_seen_before_leave_no_outcome_out(
    bench_of: Benches, adapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pytest_taskq.interleaving.on_postgres import PostgresSite

    bench = bench_of(adapter)
    scenario = scenario_of(bench, "CLM-09", "two-claims-of-two-tasks")
    with_states, runs = outcomes(bench, scenario)
    monkeypatch.setattr(PostgresSite, "opaque", True)
    without, all_runs = outcomes(bench, scenario)
    assert with_states == without
    assert runs <= all_runs


def test_transactions_that_depend_on_more_than_the_state_are_run_in_every_schedule(bench_of: Benches) -> None:
    bench = bench_of(Serializable)
    exploration = Exploration(scenario_of(bench, "CLM-02", "claim-of-the-last-task-by-2"), bench)
    bench.run(lambda: exploration.search(5))
    assert not exploration.rows_seen
    assert (exploration.explored.complete, exploration.explored.cut) == (5, 0)


def test_code_that_reads_the_servers_clock_is_inconclusive(bench_of: Benches) -> None:
    bench = bench_of(ReadsTheWallClock)
    with pytest.raises(InconclusiveError, match="the code is not repeatable"):
        judged(bench, "CLM-02")


@pytest.mark.parametrize(
    ("adapter", "reason"),
    [
        (AnotherDriver, "connections to the store beside"),
        (NothingButAnotherDriver, "no statement of its calls|beside the 0"),
    ],
)
def test_connections_of_another_driver_are_never_a_pass(bench_of: Benches, adapter, reason) -> None:
    finding = judged(bench_of(adapter), "CLM-02")
    assert finding.verdict is Verdict.NOT_RUN
    assert re.search(reason, finding.reason)


def test_a_worker_that_waits_for_itself_is_given_up_and_leaves_nothing_behind(bench_of: Benches) -> None:
    threads, bench = threading.active_count(), bench_of(WaitsForItself, call_limit=1)
    bench._stores._means = "shadow"  # not to be noticed before a schedule is made
    with pytest.raises(NotJudgedError, match="neither came to its next statement nor ended"):
        judged(bench, "CLM-02")
    deadline = time.monotonic() + 10
    while threading.active_count() > threads and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == threads


def test_what_only_sqlite_can_be_asked_is_unsupported_with_the_reason(bench_of: Benches) -> None:
    finding = judged(bench_of(Adapter), "INF-08")
    assert finding.verdict is Verdict.UNSUPPORTED
    assert "lock_timeout passes in real time" in finding.reason


def test_a_reader_beside_a_transaction_whose_worker_may_die_sees_all_or_nothing(bench_of: Benches) -> None:
    finding = judged(bench_of(Adapter), "INF-06")
    assert finding.verdict is Verdict.PASS
    assert "reader-while-commit: all schedules of 2 workers with deaths at statement boundaries" in finding.explored
    assert "within one statement" in finding.explored
    assert "two-transactions-that-read-first" not in finding.explored


def test_nothing_stays_hooked_and_no_connection_is_left(bench_of: Benches, postgres_server: str) -> None:
    def hooked() -> list[object]:
        both = (psycopg.Connection, psycopg.AsyncConnection)
        methods = [getattr(one, name) for one in both for name in ("__init__", "wait", "close")]
        return [*methods, psycopg.waiting.wait_conn, psycopg.waiting.wait_conn_async]

    before, bench = hooked(), bench_of(SelectsThenUpdates)
    judged(bench, "CLM-02")
    assert hooked() == before
    store = bench._stores._idle[0]
    with psycopg.connect(postgres_server) as connection:
        left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
        assert connection.execute(left, (store.schema,)).fetchone()[0] == 0


def test_a_late_answer_to_the_kit_itself_is_not_a_wait_for_another(
    bench_of: Benches, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pytest_taskq.interleaving.psycopg_driver import PsycopgDriver

    bench, asks = bench_of(SelectsThenUpdates), PsycopgDriver._asks

    @contextmanager
    def late(driver: PsycopgDriver) -> Iterator[None]:
        with asks(driver):
            threading.Event().wait(0.12)
            yield

    exploration = Exploration(scenario_of(bench, "CLM-02", "claim-of-the-last-task-by-2"), bench)
    schedules = [tuple(node.choice.letter for node in bench.run(lambda: exploration.replay(()))[0].nodes)]
    monkeypatch.setattr(PsycopgDriver, "_asks", late)
    schedules += [tuple(node.choice.letter for node in bench.run(lambda: exploration.replay(()))[0].nodes)]
    assert schedules[0] == schedules[1] == ("a", "a", "b")
