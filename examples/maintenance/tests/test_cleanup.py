from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import queuekeeper
from queuekeeper.cleanup import BATCH

from pytest_taskq.reference_impl import Queue

if TYPE_CHECKING:
    from pytest_taskq.clock import VirtualClock
    from pytest_taskq.fixtures import QueueTasks, RunWorkers
    from pytest_taskq.reference_impl import QueueDatabase, TaskClaimer

FINISH_ALL = "UPDATE task_queue SET status = ?, finished_at_utc = datetime('now')"


def finish_all(db: QueueDatabase, status: str = "completed") -> None:
    with db.transaction() as tx:
        tx.execute(FINISH_ALL, (status,))


def test_a_task_goes_when_it_was_completed_longer_ago_than_the_limit_and_not_at_the_limit(
    queue_db: QueueDatabase, queue_tasks: QueueTasks, queue_clock: VirtualClock
) -> None:
    queue_tasks(3)
    finish_all(queue_db)
    queue_clock.advance(60)
    assert queuekeeper.delete_completed(queue_db, 60) == 0
    queue_clock.advance(1)
    assert queuekeeper.delete_completed(queue_db, 60) == 3


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_dead_letters_and_cancelled_tasks_stay(
    queue_db: QueueDatabase, queue_tasks: QueueTasks, queue_clock: VirtualClock, status: str
) -> None:
    queue_tasks()
    finish_all(queue_db, status)
    queue_clock.advance(3600)
    assert queuekeeper.delete_completed(queue_db, 0) == 0


def test_more_than_a_batch_goes_too_and_what_waits_stays(
    queue_db: QueueDatabase, queue_tasks: QueueTasks, queue_clock: VirtualClock
) -> None:
    queue_tasks(2 * BATCH + 1)
    finish_all(queue_db)
    queue_clock.advance(10)
    queue_tasks(2)
    assert queuekeeper.delete_completed(queue_db, 5) == 2 * BATCH + 1
    assert Queue(queue_db).queue_stats()["queued"] == 2


def test_two_that_clean_up_at_once_delete_each_task_once(
    queue_db: QueueDatabase, queue_tasks: QueueTasks, queue_clock: VirtualClock, run_workers: RunWorkers
) -> None:
    queue_tasks(3 * BATCH)
    finish_all(queue_db)
    queue_clock.advance(10)
    assert sum(run_workers(lambda _: queuekeeper.delete_completed(queue_db, 5), copies=2)) == 3 * BATCH


def test_the_logs_of_a_task_go_with_it(
    queue_db: QueueDatabase, queue_tasks: QueueTasks, queue_clock: VirtualClock
) -> None:
    (task_id,) = queue_tasks()
    Queue(queue_db).log(task_id, "info", "done")
    finish_all(queue_db)
    queue_clock.advance(10)
    assert queuekeeper.delete_completed(queue_db, 5) == 1
    assert Queue(queue_db).logs(task_id) == []


def test_a_task_comes_back_when_its_lease_is_over_and_not_before(
    queue_db: QueueDatabase, queue_tasks: QueueTasks, worker_claimer: TaskClaimer, queue_clock: VirtualClock
) -> None:
    queue_tasks(2)
    worker_claimer.claim_task("w1", {}, 30)
    worker_claimer.claim_task("w1", {}, 90)
    queue_clock.advance(29)
    assert queuekeeper.take_back(queue_db) == 0
    queue_clock.advance(1)
    assert queuekeeper.take_back(queue_db) == 1
    again = worker_claimer.claim_task("w2", {}, 30)
    assert again is not None
    assert again.attempts == 2


def test_a_task_that_was_lost_in_its_last_attempt_is_a_dead_letter_that_says_so(
    queue_db: QueueDatabase, queue_tasks: QueueTasks, worker_claimer: TaskClaimer, queue_clock: VirtualClock
) -> None:
    (task_id,) = queue_tasks(max_attempts=1)
    worker_claimer.claim_task("w1", {}, 30)
    queue_clock.advance(30)
    assert queuekeeper.take_back(queue_db) == 1
    task = Queue(queue_db).get_task(task_id)
    assert task is not None
    assert (task.status, task.locked_by, task.error_message) == ("failed", None, "lost by w1 in its last attempt")


@pytest.mark.parametrize("age", [-1, float("nan"), float("inf"), None, "60", True])
def test_an_age_without_meaning_is_refused(queue_db: QueueDatabase, age: float) -> None:
    with pytest.raises((TypeError, ValueError), match="older_than_seconds"):
        queuekeeper.delete_completed(queue_db, age)
