from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from dispatcher import Dispatcher

from pytest_taskq.reference_impl import SchedulingStrategy

if TYPE_CHECKING:
    from pytest_taskq.clock import VirtualClock
    from pytest_taskq.fixtures import QueueTasks, RunWorkers
    from pytest_taskq.reference_impl import QueueDatabase, TaskClaimer

FIFO, LIFO, PRIORITY = SchedulingStrategy.FIFO, SchedulingStrategy.LIFO, SchedulingStrategy.PRIORITY


@pytest.fixture
def dispatcher(queue_db: QueueDatabase) -> Dispatcher:
    return Dispatcher(queue_db).install()


def all_in_order(dispatcher: Dispatcher, strategy: SchedulingStrategy) -> list[int | str]:
    return [task.id for task in iter(lambda: dispatcher.claim(strategy, "w1", {}, 60), None)]


def test_fifo_serves_who_was_due_first(
    dispatcher: Dispatcher, queue_tasks: QueueTasks, queue_clock: VirtualClock
) -> None:
    (delayed,) = queue_tasks(delay_seconds=5)
    (first,) = queue_tasks()
    queue_clock.advance(3)
    (second,) = queue_tasks()
    queue_clock.advance(2)
    assert all_in_order(dispatcher, FIFO) == [first, second, delayed]


def test_lifo_serves_who_was_due_last(dispatcher: Dispatcher, queue_tasks: QueueTasks) -> None:
    ids = queue_tasks(4)
    assert all_in_order(dispatcher, LIFO) == ids[::-1]


def test_priority_serves_the_higher_number_first_and_the_oldest_within_it(
    dispatcher: Dispatcher, queue_tasks: QueueTasks
) -> None:
    low, urgent, plain = queue_tasks(2, priority=-1), queue_tasks(2, priority=200), queue_tasks(2, priority=100)
    assert all_in_order(dispatcher, PRIORITY) == urgent + plain + low


def test_an_urgent_task_that_is_not_due_is_not_waited_for(dispatcher: Dispatcher, queue_tasks: QueueTasks) -> None:
    queue_tasks(priority=200, delay_seconds=3600)
    due = queue_tasks(priority=1)
    assert all_in_order(dispatcher, PRIORITY) == due


def test_a_worker_gets_the_most_urgent_task_that_it_is_able_to_do(
    dispatcher: Dispatcher, queue_tasks: QueueTasks
) -> None:
    (gpu,) = queue_tasks(priority=200, compatibility={"gpu": True})
    able = [*queue_tasks(priority=200), *queue_tasks(priority=100)]
    assert all_in_order(dispatcher, PRIORITY) == able
    task = dispatcher.claim(PRIORITY, "w1", {"gpu": True}, 60)
    assert task is not None
    assert task.id == gpu


@pytest.mark.parametrize("worker_claimer", [FIFO, LIFO], indirect=True)
def test_the_reference_serves_tasks_of_one_moment_in_the_same_order(
    dispatcher: Dispatcher, worker_claimer: TaskClaimer, queue_tasks: QueueTasks, queue_clock: VirtualClock
) -> None:
    queue_clock.advance(1)
    ids = queue_tasks(4)
    ours = dispatcher.claim(worker_claimer.strategy, "w1", {}, 60)
    theirs = worker_claimer.claim_task("w2", {}, 60)
    assert ours is not None
    assert theirs is not None
    assert [ours.id, theirs.id] == (ids if worker_claimer.strategy is FIFO else ids[::-1])[:2]


def test_workers_with_different_strategies_never_get_one_task_twice(
    dispatcher: Dispatcher, queue_tasks: QueueTasks, run_workers: RunWorkers
) -> None:
    ids = queue_tasks(30)
    taken = run_workers(*(lambda _, by=by: all_in_order(dispatcher, by) for by in (FIFO, LIFO, PRIORITY)))
    assert sorted(id_ for one in taken for id_ in one) == ids


def test_an_unknown_strategy_is_refused_with_the_names_of_the_known_ones(dispatcher: Dispatcher) -> None:
    with pytest.raises(ValueError, match="fifo, lifo, priority"):
        dispatcher.claim("shortest", "w1", {}, 60)
