"""Calls of the code under test are recorded, typed and bounded; its stores are fresh and leave nothing behind."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Never

import pytest

from pytest_taskq import NotOfferedError, Promises, QueueAdapter, StandaloneAdapter, Task
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.subject import Bench, ContractViolation, NotJudgedError, Stores, Subject


class Broken(QueueAdapter):
    def cancel_task(self, task_id) -> str:
        return "yes"

    def queue_stats(self) -> Never:
        raise LookupError("no statistics today")

    def reclaim_expired(self) -> Never:
        raise SystemExit(4)


class Asynchronous(QueueAdapter):
    async def cancel_task(self, task_id):
        return self.reference.cancel_task(task_id)


class Heap(StandaloneAdapter):
    promises = Promises(not_offered={"enqueue.delay_seconds": "there is no clock"})

    def setup(self) -> None:
        Path(self.dsn).write_text("ready")

    def enqueue(self, type, payload, **options) -> int:
        return 1

    def claim_task(self, worker_id, capabilities, lease_seconds):
        return Task(id=1, type="job", payload="{}")

    def renew_lease(self, task, worker_id, lease_seconds) -> Never:
        raise NotOfferedError("only with the paid plan")


def on_bench(adapter: type, tmp_path: Path, check):
    subject = Subject("tests:Adapter", adapter)
    bench = Bench(subject, Stores(subject, tmp_path))

    def body():
        with bench.queue() as queue:
            return check(queue)

    return bench.run(body)


def test_a_result_of_another_type_is_a_violation_of_that_method(tmp_path: Path) -> None:
    with pytest.raises(ContractViolation, match=r"cancel_task returns a bool; seen 'yes' \(str\)") as found:
        on_bench(Broken, tmp_path, lambda queue: queue.cancel_task(1))
    assert found.value.method == "cancel_task"


def test_an_exception_is_a_violation_that_shows_it(tmp_path: Path) -> None:
    with pytest.raises(ContractViolation, match="LookupError: no statistics today") as found:
        on_bench(Broken, tmp_path, lambda queue: queue.queue_stats())
    assert found.value.calls


def test_an_attempt_gives_the_exception_as_its_outcome(tmp_path: Path) -> None:
    outcome = on_bench(Broken, tmp_path, lambda queue: queue.attempt("queue_stats"))
    assert isinstance(outcome.error, LookupError)


def test_ending_the_process_is_a_violation(tmp_path: Path) -> None:
    with pytest.raises(ContractViolation, match=r"SystemExit\(4\)"):
        on_bench(Broken, tmp_path, lambda queue: queue.reclaim_expired())


def test_async_methods_are_awaited(tmp_path: Path) -> None:
    assert on_bench(Asynchronous, tmp_path, lambda queue: queue.cancel_task(queue.enqueue())) is True


def test_actors_share_the_store_and_have_adapters_of_their_own(tmp_path: Path) -> None:
    def check(queue):
        task_id, other = queue.enqueue(), queue.another()
        return other.claim_task("w2").id == task_id, other.adapter is not queue.adapter

    assert on_bench(QueueAdapter, tmp_path, check) == (True, True)


def test_stores_are_fresh_and_removed(tmp_path: Path) -> None:
    subject = Subject("tests:Adapter", QueueAdapter)
    bench = Bench(subject, Stores(subject, tmp_path))

    def body():
        counts = []
        for _ in range(2):
            with bench.queue() as queue:
                queue.enqueue()
                counts.append(len(queue.sql("SELECT * FROM task_queue")))
        return counts

    assert bench.run(body) == [1, 1]
    assert list(tmp_path.iterdir()) == []


def test_every_store_begins_at_the_same_virtual_moment(tmp_path: Path) -> None:
    subject = Subject("tests:Adapter", QueueAdapter)
    bench = Bench(subject, Stores(subject, tmp_path))

    def body():
        moments = []
        for _ in range(2):
            with bench.queue() as queue:
                moments.append(queue.now())
                queue.advance(100)
                queue.sql("SELECT 1")
        return moments

    first, second = bench.run(body)
    assert first == second


def test_nothing_stays_hooked(tmp_path: Path) -> None:
    before = sqlite3.connect
    on_bench(QueueAdapter, tmp_path, lambda queue: queue.enqueue())
    assert sqlite3.connect is before
    with sqlite3.connect(":memory:") as connection:
        year = connection.execute("SELECT strftime('%Y', 'now')").fetchone()[0]
    connection.close()
    assert int(year) < 2030


def test_a_standalone_queue_is_set_up_once_and_answers_for_every_requirement(tmp_path: Path) -> None:
    subject = Subject("tests:Heap", Heap)
    assert on_bench(Heap, tmp_path, lambda queue: Path(queue.dsn).read_text()) == "ready"
    assert all(subject.graded(requirement) for requirement in REQUIREMENTS.values())
    assert subject.not_offered(REQUIREMENTS["ENQ-06"]) == "enqueue.delay_seconds: there is no clock"
    assert subject.not_offered(REQUIREMENTS["MNT-05"]) == "reclaim_expired: the adapter does not implement it"
    assert subject.role_summary(REQUIREMENTS["MNT-05"].role) == "not offered"


def test_an_argument_that_is_declared_not_offered_leaves_out_what_needs_it() -> None:
    class Terse(Heap):
        promises = Promises(not_offered={"fail_task.error": "it takes no text"})

        def fail_task(self, task, worker_id, error, *, retry=True) -> bool:
            return True

    subject = Subject("tests:Terse", Terse)
    assert subject.not_offered(REQUIREMENTS["FIN-08"]) == "fail_task.error: it takes no text"
    assert subject.not_offered(REQUIREMENTS["FIN-05"]) is None


@pytest.mark.parametrize("requirement", ["CLM-01", "CLM-12", "LSE-03", "FIN-07"])
def test_what_the_team_says_wins_over_that_a_method_is_absent(requirement: str) -> None:
    class Frank(StandaloneAdapter):
        promises = Promises(
            not_offered=dict.fromkeys(("claim_by", "claim_many", "leases", "renew_lease", "reclaim_expired"), "said so")
        )

    assert str(Subject("tests:Frank", Frank).not_offered(REQUIREMENTS[requirement])).endswith(": said so")


def test_a_method_that_says_it_is_not_offered_is_not_judged(tmp_path: Path) -> None:
    with pytest.raises(NotJudgedError, match="paid plan"):
        on_bench(Heap, tmp_path, lambda queue: queue.renew_lease(queue.claim_task()))


def test_what_is_overridden_is_graded_and_nothing_else() -> None:
    subject = Subject("tests:Adapter", Asynchronous)
    graded = {one.id for one in REQUIREMENTS.values() if subject.graded(one)}
    assert "ENQ-10" in graded
    assert "CLM-01" not in graded
    assert all("cancel_task" in REQUIREMENTS[one].grades for one in graded)
    assert subject.role_summary(REQUIREMENTS["ENQ-10"].role) == "partial"
