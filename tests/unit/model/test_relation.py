"""Each rule of the model: which answers it accepts, and which requirement a wrong one is laid to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from pytest_taskq.contract import Promises, SchedulingStrategy, Status, Task
from pytest_taskq.model import calls as c
from pytest_taskq.model.claiming import claimed
from pytest_taskq.model.disagreement import Disagreement
from pytest_taskq.model.enqueueing import cancelled, enqueued, enqueued_many, looked_at
from pytest_taskq.model.finishing import completed, failed, renewed
from pytest_taskq.model.model import Model
from pytest_taskq.model.observation import moment, observe
from pytest_taskq.model.state import Window, json_equal, satisfies
from pytest_taskq.model.upkeep import counted, deleted, reclaimed

START = 1_000_000_000_000


@dataclass
class Came:
    result: Any = None
    error: Exception | None = None


def model(**promises: Any) -> Model:
    return Model(Promises(**promises), START)


def task(task_id: int = 1, attempt: int = 1, payload: str = "{}", **fields: Any) -> Task:
    return Task(id=task_id, type="job", payload=payload, attempts=attempt, **fields)


def ok(found: Iterable[Disagreement]) -> None:
    assert list(found) == []


def broken(found: Iterable[Disagreement]) -> set[str]:
    disagreements = list(found)
    assert disagreements, "the model accepted it"
    return set().union(*(one.breaks for one in disagreements))


def with_tasks(count: int = 1, call: c.Enqueue | None = None, **promises: Any) -> Model:
    it = model(**promises)
    for number in range(1, count + 1):
        ok(enqueued(it, call or c.Enqueue(), Came(number)))
    return it


def with_claim(lease: float = 10.0, call: c.Enqueue | None = None, **promises: Any) -> Model:
    it = with_tasks(call=call, **promises)
    ok(claimed(it, c.ClaimNext(lease=lease), Came(task())))
    return it


def later(it: Model, seconds: float) -> Model:
    it.state.now += round(seconds * 1000)
    return it


def test_an_id_that_another_task_has_is_laid_to_enqueue() -> None:
    assert broken(enqueued(with_tasks(), c.Enqueue(), Came(1))) == {"ENQ-01"}


def test_an_exception_for_a_plain_task_is_laid_to_enqueue() -> None:
    assert broken(enqueued(model(), c.Enqueue(), Came(error=OSError("disk")))) == {"ENQ-01"}


def test_a_nul_may_be_refused_and_stores_nothing() -> None:
    it = model()
    ok(enqueued(it, c.Enqueue(type="a\0b"), Came(error=ValueError("no NUL"))))
    assert it.state.tasks == {}


def test_another_refusal_of_odd_text_is_not_accepted() -> None:
    assert "ENQ-04" in broken(enqueued(model(), c.Enqueue(type="a'b"), Came(error=ValueError("no quotes"))))


@pytest.mark.parametrize("scope", ["forever", "until_finished"])
def test_a_key_stands_for_its_live_task(scope: str) -> None:
    it = with_tasks(call=c.Enqueue(key="k"), key_scope=scope)
    ok(enqueued(it, c.Enqueue(key="k"), Came(1)))
    assert "ENQ-05" in broken(enqueued(it, c.Enqueue(key="k"), Came(2)))


def test_a_key_is_free_again_only_where_that_is_promised() -> None:
    for scope, answer in (("forever", 1), ("until_finished", 2)):
        it = with_claim(call=c.Enqueue(key="k"), key_scope=scope)
        ok(completed(it, c.Complete(), it.state.claims[0], Came(result=True)))
        ok(enqueued(it, c.Enqueue(key="k"), Came(answer)))


def test_a_batch_of_another_length_is_laid_to_the_batch() -> None:
    assert broken(enqueued_many(model(), c.EnqueueMany(items=(c.Enqueue(),)), Came([1, 2]))) == {"ENQ-13"}


@pytest.mark.parametrize(
    ("prepare", "requirement"),
    [
        (lambda: with_tasks(call=c.Enqueue(delay=5)), "ENQ-06"),
        (lambda: with_tasks(call=c.Enqueue(compatibility={"gpu": True})), "CLM-07"),
        (with_claim, "LSE-01"),
        (model, "CLM-01"),
    ],
)
def test_a_claim_of_what_may_not_be_claimed_is_laid_to_its_rule(prepare, requirement: str) -> None:
    assert requirement in broken(claimed(prepare(), c.ClaimNext(worker="w2"), Came(task(attempt=2))))


@pytest.mark.parametrize(
    ("status", "requirement"),
    [(Status.COMPLETED, "FIN-01"), (Status.FAILED, "FIN-09"), (Status.CANCELLED, "ENQ-10")],
)
def test_a_claim_of_a_finished_task_is_laid_to_its_end(status: Status, requirement: str) -> None:
    it = with_tasks()
    it.state.tasks[1].status = status
    assert requirement in broken(claimed(it, c.ClaimNext(), Came(task())))


def test_any_due_task_may_be_claimed_without_a_strategy() -> None:
    ok(claimed(with_tasks(3), c.ClaimNext(), Came(task(2))))


@pytest.mark.parametrize(
    ("strategy", "right", "requirement"),
    [
        (SchedulingStrategy.FIFO, 1, "SCH-01"),
        (SchedulingStrategy.LIFO, 3, "SCH-02"),
        (SchedulingStrategy.PRIORITY, 1, "SCH-03"),
    ],
)
def test_a_strategy_has_one_right_answer(strategy: SchedulingStrategy, right: int, requirement: str) -> None:
    ok(claimed(with_tasks(3), c.ClaimNext(strategy=strategy), Came(task(right))))
    assert requirement in broken(claimed(with_tasks(3), c.ClaimNext(strategy=strategy), Came(task(2))))


def test_priority_goes_the_promised_way() -> None:
    for order, right in (("ascending", 1), ("descending", 2)):
        it = with_tasks(call=c.Enqueue(priority=1), priority_order=order)
        ok(enqueued(it, c.Enqueue(priority=9), Came(2)))
        ok(claimed(it, c.ClaimNext(strategy=SchedulingStrategy.PRIORITY), Came(task(right))))


def test_an_empty_claim_beside_a_claimable_task_is_laid_to_what_it_waited_for() -> None:
    assert "CLM-01" in broken(claimed(with_tasks(), c.ClaimNext(), Came(None)))
    delayed = later(with_tasks(call=c.Enqueue(delay=5)), 5)
    assert "ENQ-06" in broken(claimed(delayed, c.ClaimNext(), Came(None)))


def test_within_the_precision_of_a_delay_both_answers_are_right() -> None:
    for answer in (None, task()):
        it = later(with_tasks(call=c.Enqueue(delay=0.5)), 0.5)
        ok(claimed(it, c.ClaimNext(), Came(answer)))


def test_an_over_lease_may_be_taken_back_by_the_claim_or_not() -> None:
    for answer in (None, task(attempt=2)):
        ok(claimed(later(with_claim(), 10), c.ClaimNext(worker="w2"), Came(answer)))


def test_an_over_lease_that_is_promised_to_fail_may_come_back_from_the_reference_alone() -> None:
    it = later(with_claim(lease_over="fail"), 10)
    assert "CLM-01" in broken(claimed(it, c.ClaimNext(worker="w2"), Came(task(attempt=2))))
    it = later(with_claim(lease_over="fail"), 10)
    it.reference = frozenset({"claim_task", "reclaim_expired"})
    ok(claimed(it, c.ClaimNext(worker="w2"), Came(task(attempt=2))))
    ok(reclaimed(later(it, 10), Came(1)))
    assert it.state.tasks[1].status is Status.QUEUED


def test_an_over_lease_must_be_taken_back_where_nothing_else_does_it() -> None:
    it = later(with_claim(), 10)
    it.claims_reclaim = True
    assert "LSE-01" in broken(claimed(it, c.ClaimNext(worker="w2"), Came(None)))


def test_a_wrong_attempt_number_is_laid_to_counting() -> None:
    assert "CLM-05" in broken(claimed(with_tasks(), c.ClaimNext(), Came(task(attempt=0))))


def test_another_payload_is_laid_to_the_payload() -> None:
    it = with_tasks(call=c.Enqueue(payload={"n": 1}))
    assert "ENQ-02" in broken(claimed(it, c.ClaimNext(), Came(task(payload='{"n": 2}'))))


def test_more_than_n_is_laid_to_the_batch_claim() -> None:
    assert broken(claimed(with_tasks(3), c.ClaimNext(n=1), Came([task(1), task(2)]))) == {"CLM-12"}


def test_the_holder_completes_once() -> None:
    it = with_claim()
    claim = it.state.claims[0]
    ok(completed(it, c.Complete(), claim, Came(result=True)))
    ok(completed(it, c.Complete(), claim, Came(result=False)))
    assert broken(completed(it, c.Complete(), claim, Came(result=True))) == {"FIN-03"}


def test_a_refusal_to_the_holder_is_laid_to_completion() -> None:
    it = with_claim()
    assert broken(completed(it, c.Complete(), it.state.claims[0], Came(result=False))) == {"FIN-01"}


def test_a_stranger_is_fenced() -> None:
    it = with_claim()
    assert broken(completed(it, c.Complete(worker="w2"), it.state.claims[0], Came(result=True))) == {"FIN-02"}


def test_an_earlier_attempt_of_the_same_worker_is_fenced() -> None:
    it = later(with_claim(), 10)
    ok(claimed(it, c.ClaimNext(), Came(task(attempt=2))))
    assert "FIN-02" in broken(completed(it, c.Complete(), it.state.claims[0], Came(result=True)))
    ok(completed(it, c.Complete(), it.state.claims[1], Came(result=True)))


@pytest.mark.parametrize(("promise", "answer"), [("accept", True), ("refuse", False)])
def test_a_lease_merely_over_is_judged_as_promised(promise: str, answer: bool) -> None:
    it = later(with_claim(late_finish=promise), 10)
    ok(completed(it, c.Complete(), it.state.claims[0], Came(answer)))
    it = later(with_claim(late_finish=promise), 10)
    assert broken(completed(it, c.Complete(), it.state.claims[0], Came(not answer))) == {"FIN-02"}


def test_a_failure_requeues_within_the_backoff_window() -> None:
    it = with_claim()
    ok(failed(it, c.Fail(), it.state.claims[0], Came(result=True)))
    assert it.state.tasks[1].due == Window(START + 900, START + 1000)


def test_the_last_attempt_fails_for_good() -> None:
    it = with_claim(call=c.Enqueue(max_attempts=1))
    ok(failed(it, c.Fail(), it.state.claims[0], Came(result=True)))
    assert it.state.tasks[1].status is Status.FAILED


def test_a_renewal_by_anyone_else_is_laid_to_the_lease() -> None:
    it = with_claim()
    assert broken(renewed(it, c.Renew(worker="w2"), it.state.claims[0], Came(result=True))) == {"LSE-03"}
    assert broken(renewed(it, c.Renew(), it.state.claims[0], Came(result=False))) == {"LSE-02"}


def test_a_lease_is_over_at_its_deadline_and_not_before() -> None:
    it = later(with_claim(), 9.999)
    ok(reclaimed(it, Came(0)))
    assert "MNT-05" in broken(reclaimed(later(it, 0.001), Came(0)))


def test_only_a_queued_task_is_cancelled() -> None:
    ok(cancelled(with_tasks(), c.Cancel(), 1, Came(result=True)))
    assert broken(cancelled(with_claim(), c.Cancel(), 1, Came(result=True))) == {"ENQ-10"}


def test_an_unknown_task_is_none() -> None:
    ok(looked_at(model(), 7, Came(None)))
    assert broken(looked_at(model(), 7, Came(task(7)))) == {"ENQ-11"}


def test_cleanup_spares_what_finished_exactly_at_the_limit() -> None:
    it = with_claim()
    ok(completed(it, c.Complete(), it.state.claims[0], Came(result=True)))
    later(it, 10)
    assert broken(deleted(it, c.DeleteFinished(older_than=10), Came(1))) == {"MNT-01"}
    ok(deleted(it, c.DeleteFinished(older_than=9), Came(1)))


def test_a_status_without_tasks_is_zero_or_absent() -> None:
    ok(counted(with_tasks(), Came({"queued": 1})))
    ok(counted(with_tasks(), Came({"queued": 1, "leased": 0})))
    assert broken(counted(with_tasks(), Came({"queued": 2}))) == {"OBS-01"}


def test_a_row_that_differs_is_laid_to_the_last_call() -> None:
    it = with_tasks(call=c.Enqueue(payload={"n": 1}))
    row = {"id": 1, "status": "queued", "attempts": 0, "payload": '{"n": 2}', "run_after_utc": None}
    assert broken(observe(it, [row])) == {"ENQ-02"}


def test_a_row_that_vanished_or_appeared_is_seen() -> None:
    assert broken(observe(with_tasks(), [])) == {"ENQ-01"}
    ghost = {"id": 2, "status": "queued", "attempts": 0, "payload": "{}", "run_after_utc": None}
    assert broken(observe(with_tasks(), [{**ghost, "id": 1}, ghost])) == {"ENQ-01"}


def test_stored_times_are_read_in_every_usual_form() -> None:
    assert moment("2030-01-01 00:00:00") == moment("2030-01-01T00:00:00Z") == moment("2030-01-01T01:00:00+01:00")
    assert moment("2030-01-01 00:00:00.250") == moment("2030-01-01 00:00:00") + 250
    assert moment(None) is None


def test_json_equality_is_that_of_json() -> None:
    assert json_equal({"a": 1, "b": [1.0]}, {"b": [1], "a": 1.0})
    assert not json_equal(1, True)
    assert not json_equal([1], [1, 2])
    assert satisfies({"a": None}, {"a": None})
    assert not satisfies({}, {"a": None})
