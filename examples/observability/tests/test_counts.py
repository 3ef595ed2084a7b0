from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from queuewatch import counts_by_status, exposition

from pytest_taskq.reference_impl import Queue

if TYPE_CHECKING:
    from pytest_taskq.fixtures import QueueTasks
    from pytest_taskq.reference_impl import QueueDatabase, TaskClaimer

NOTHING = {"queued": 0, "leased": 0, "completed": 0, "failed": 0, "cancelled": 0}


def test_an_empty_queue_is_all_zeros(queue_db: QueueDatabase) -> None:
    assert asyncio.run(counts_by_status(queue_db)) == NOTHING


def test_each_task_is_counted_where_it_stands(
    queue_db: QueueDatabase, queue_tasks: QueueTasks, worker_claimer: TaskClaimer
) -> None:
    queue = Queue(queue_db)
    *_, last = queue_tasks(6)
    queue.cancel_task(last)
    done, broken, _ = [worker_claimer.claim_task("w1", {}, 60) for _ in range(3)]
    assert done is not None
    assert broken is not None
    queue.complete_task(done, "w1")
    queue.fail_task(broken, "w1", "boom", retry=False)
    counts = asyncio.run(counts_by_status(queue_db))
    assert counts == {"queued": 2, "leased": 1, "completed": 1, "failed": 1, "cancelled": 1}


def test_counting_does_not_wait_for_a_writer_and_does_not_see_what_it_has_not_committed(
    queue_db: QueueDatabase, queue_tasks: QueueTasks
) -> None:
    queue_tasks(2)
    with queue_db.transaction() as tx:
        tx.execute("DELETE FROM task_queue")
        assert asyncio.run(counts_by_status(queue_db)) == NOTHING | {"queued": 2}


def test_many_may_count_at_once(queue_db: QueueDatabase, queue_tasks: QueueTasks) -> None:
    queue_tasks(3)

    async def eight() -> list[dict[str, int]]:
        return await asyncio.gather(*(counts_by_status(queue_db) for _ in range(8)))

    assert asyncio.run(eight()) == [NOTHING | {"queued": 3}] * 8


def test_the_exposition_has_one_line_a_status_and_keeps_odd_ones_in_their_quotes() -> None:
    lines = exposition({"queued": 2, 'a"b\nc\\': 1}).splitlines()
    assert lines[2:] == ['task_queue_tasks{status="a\\"b\\nc\\\\"} 1', 'task_queue_tasks{status="queued"} 2']
