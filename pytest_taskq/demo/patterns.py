"""The six patterns, as a team would write them; each function is shown as it stands here, and then run."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from pytest_taskq.reference_impl import Queue, QueueBusyError, QueueDatabase, SchedulingStrategy, TaskClaimerFactory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def infrastructure(db: QueueDatabase) -> Iterator[str]:
    """Infrastructure: writes are whole, and a lock is an error of its own."""
    db.initialize_schema()
    with db.transaction() as connection, closing(QueueDatabase(db.path, busy_timeout=0.0)) as impatient:
        connection.execute("INSERT INTO workers (worker_id) VALUES ('press-1')")
        try:
            with impatient.transaction():
                yield "two writers at once!"
        except QueueBusyError as error:
            yield f"a second writer is refused while the first one works: {type(error).__name__}"
    with db.connection() as connection:
        (workers,) = connection.execute("SELECT count(*) FROM workers").fetchone()
    yield f"{workers} worker is registered"


def enqueue(db: QueueDatabase) -> Iterator[str]:
    """Client: the same order twice is one task, and what is delayed waits."""
    queue = Queue(db)
    first = queue.enqueue("print", {"page": 1}, idempotency_key="order-17")
    again = queue.enqueue("print", {"page": 1}, idempotency_key="order-17")
    yield f"order 17 is task {first}, and sent once more it is task {again}"
    later = queue.get_task(queue.enqueue("print", {"page": 2}, delay_seconds=3600))
    yield f"{later and later.payload} is due at {later and later.run_after_utc}"


def claim(db: QueueDatabase) -> Iterator[str]:
    """Engine: only who holds the lease finishes the task."""
    queue = Queue(db)
    while task := queue.claim_task("press-1", {}, lease_seconds=30):
        yield f"press-1 holds task {task.id} until {task.lease_until_utc}, attempt {task.attempts}"
        yield f"press-2 completes it: {queue.complete_task(task, 'press-2')}"
        yield f"press-1 completes it: {queue.complete_task(task, 'press-1')}"


def strategies(db: QueueDatabase) -> Iterator[str]:
    """Scheduling: three tasks, four orders."""
    queue = Queue(db)
    for strategy in SchedulingStrategy:
        for priority in (50, 10, 90):
            queue.enqueue("print", {}, priority=priority)
        claimer = TaskClaimerFactory.create(strategy, db)
        served = [task.priority for _ in range(3) if (task := claimer.claim_task("press-1", {}, 30))]
        yield f"{strategy.name:<16} serves the priorities {served}"


def observability(db: QueueDatabase) -> Iterator[str]:
    """Observability: counts that are all of one moment."""
    yield str(Queue(db).queue_stats())


def maintenance(db: QueueDatabase) -> Iterator[str]:
    """Maintenance: what a dead worker held is taken back, and what is done goes."""
    with db.transaction() as connection:  # as if an hour had passed
        connection.execute("UPDATE task_queue SET lease_until_utc = datetime('now', '-1 hour') WHERE status = 'leased'")
        connection.execute("UPDATE task_queue SET finished_at_utc = datetime('now', '-1 hour')")
    queue = Queue(db)
    yield f"tasks whose lease was over, queued again: {queue.reclaim_expired()}"
    yield f"tasks completed long ago, deleted: {queue.delete_finished(older_than_seconds=600)}"


PATTERNS: tuple[Callable[[QueueDatabase], Iterator[str]], ...] = (
    infrastructure,
    enqueue,
    claim,
    strategies,
    observability,
    maintenance,
)
