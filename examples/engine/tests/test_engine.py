from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from millworker import Engine

from pytest_taskq.reference_impl import Queue

if TYPE_CHECKING:
    from pytest_taskq.clock import VirtualClock
    from pytest_taskq.fixtures import QueueTasks, RunWorkers
    from pytest_taskq.reference_impl import QueueDatabase, Task, TaskClaimer


@pytest.fixture
def engine(queue_db: QueueDatabase) -> Engine:
    return Engine(queue_db).install()


def claimed(engine: Engine, lease_seconds: float = 60.0) -> Task:
    task = engine.claim("w1", {}, lease_seconds)
    assert task is not None
    return task


def test_workers_at_once_share_the_tasks_without_serving_one_twice(
    engine: Engine, queue_tasks: QueueTasks, run_workers: RunWorkers
) -> None:
    ids = queue_tasks(40)
    taken = run_workers(lambda n: [task.id for task in iter(lambda: engine.claim(f"w{n}", {}, 60), None)], copies=4)
    assert sorted(id_ for one in taken for id_ in one) == ids


def test_our_claims_and_those_of_the_reference_respect_each_other(
    engine: Engine, queue_tasks: QueueTasks, worker_claimer: TaskClaimer
) -> None:
    queue_tasks(2)
    theirs = worker_claimer.claim_task("w2", {}, 60)
    assert theirs is not None
    assert claimed(engine).id != theirs.id
    assert engine.claim("w1", {}, 60) is None


def test_a_task_goes_to_a_worker_that_is_able_to_do_it(engine: Engine, queue_tasks: QueueTasks) -> None:
    (needs_gpu,) = queue_tasks(compatibility={"gpu": True})
    (plain,) = queue_tasks()
    assert claimed(engine).id == plain
    assert engine.claim("w1", {"gpu": 1}, 60) is None
    able = engine.claim("w1", {"gpu": True}, 60)
    assert able is not None
    assert able.id == needs_gpu


def test_a_batch_holds_no_more_than_was_asked_for(engine: Engine, queue_tasks: QueueTasks) -> None:
    ids = queue_tasks(5)
    assert [task.id for task in engine.claim_many(3, "w1", {}, 60)] == ids[:3]
    assert [task.id for task in engine.claim_many(3, "w1", {}, 60)] == ids[3:]


def test_a_lease_lasts_no_less_than_it_was_asked_for(
    engine: Engine, queue_db: QueueDatabase, queue_tasks: QueueTasks, queue_clock: VirtualClock
) -> None:
    queue_tasks()
    queue_clock.advance(0.9)
    claimed(engine, lease_seconds=1)
    queue_clock.advance(0.9)
    assert Queue(queue_db).reclaim_expired() == 0


def test_a_worker_that_lost_its_task_to_itself_cannot_finish_the_first_claim(
    engine: Engine, queue_db: QueueDatabase, queue_tasks: QueueTasks, queue_clock: VirtualClock
) -> None:
    queue_tasks()
    first = claimed(engine, lease_seconds=5)
    queue_clock.advance(5)
    assert Queue(queue_db).reclaim_expired() == 1
    second = claimed(engine)
    assert not engine.renew(first, "w1", 60)
    assert not engine.fail(first, "w1", "late")
    assert not engine.complete(first, "w1")
    assert engine.complete(second, "w1")


def test_a_renewed_lease_is_counted_from_the_renewal(
    engine: Engine, queue_db: QueueDatabase, queue_tasks: QueueTasks, queue_clock: VirtualClock
) -> None:
    queue_tasks()
    task = claimed(engine, lease_seconds=10)
    queue_clock.advance(9)
    assert engine.renew(task, "w1", 10)
    queue_clock.advance(9)
    assert Queue(queue_db).reclaim_expired() == 0


def test_a_failed_task_is_served_again_after_the_backoff_until_its_attempts_are_used_up(
    engine: Engine, queue_db: QueueDatabase, queue_tasks: QueueTasks, queue_clock: VirtualClock
) -> None:
    (task_id,) = queue_tasks(max_attempts=2)
    assert engine.fail(claimed(engine), "w1", "first")
    assert engine.claim("w1", {}, 60) is None
    queue_clock.advance(2)
    assert engine.fail(claimed(engine), "w1", "last")
    task = Queue(queue_db).get_task(task_id)
    assert task is not None
    assert (task.status, task.attempts, task.error_message) == ("failed", 2, "last")


@pytest.mark.parametrize("column", ["type", "payload", "compatibility", "error_message"])
def test_a_text_that_cannot_be_read_does_not_stop_the_tasks_behind_it(
    engine: Engine, queue_db: QueueDatabase, queue_tasks: QueueTasks, column: str
) -> None:
    _, behind = queue_tasks(2)
    with queue_db.transaction() as tx:
        tx.execute(f"UPDATE task_queue SET {column} = CAST(x'ff' AS TEXT) WHERE id <> ?", (behind,))
    assert claimed(engine).id == behind
    assert engine.claim("w1", {}, 60) is None


@pytest.mark.parametrize("error", ["half a pair: \ud800", "nul: \x00", "long: " + "ä" * 10**6])
def test_no_error_text_keeps_a_task_leased(engine: Engine, queue_tasks: QueueTasks, error: str) -> None:
    queue_tasks()
    assert engine.fail(claimed(engine), "w1", error, retry=False)


@pytest.mark.parametrize("lease", [0, -1, float("nan"), float("inf"), 1e18, None, "60", True])
def test_a_lease_without_meaning_is_refused(engine: Engine, queue_tasks: QueueTasks, lease: float) -> None:
    queue_tasks()
    with pytest.raises((TypeError, ValueError), match="lease_seconds"):
        engine.claim("w1", {}, lease)
    assert claimed(engine).attempts == 1
