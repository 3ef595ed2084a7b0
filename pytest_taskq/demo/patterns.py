"""The six patterns, as a team would write them; each function is shown as it stands here, and then run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq.reference_impl import (
    Queue,
    QueueBusyError,
    QueueDatabase,
    SchedulingStrategy,
    TaskClaimerFactory,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Say = str


def infrastructure(path: Path) -> Iterator[Say]:
    """Infrastructure: writes are whole, and a lock is an error that can be told apart."""
    db, impatient = QueueDatabase(path), QueueDatabase(path, busy_timeout=0.0)
    db.initialize_schema()
    with db.transaction() as connection:
        connection.execute("INSERT INTO workers (worker_id) VALUES ('press-1')")
        try:
            with impatient.transaction():
                yield "two writers at once!"
        except QueueBusyError as error:
            yield f"{type(error).__name__}: a second writer is refused while the first one works"
    with db.connection() as connection:
        yield f"{connection.execute('SELECT count(*) FROM workers').fetchone()[0]} worker is registered"
    impatient.close()
    db.close()


def enqueue(path: Path) -> Iterator[Say]:
    """Client: the same order twice is one task, and what is delayed waits."""
    with_db = QueueDatabase(path)
    queue = Queue(with_db)
    first = queue.enqueue("print", {"page": 1}, idempotency_key="order-17")
    again = queue.enqueue("print", {"page": 1}, idempotency_key="order-17")
    later = queue.enqueue("print", {"page": 2}, delay_seconds=3600)
    yield f"order 17 is task {first}, and the second time it is task {again}"
    yield f"task {later} waits an hour: {queue.get_task(later).status}, due at {queue.get_task(later).run_after_utc}"
    with_db.close()


def claim(path: Path) -> Iterator[Say]:
    """Engine: who lost the lease cannot finish the task."""
    with QueueOn(path) as queue:
        task = queue.claim_task("press-1", {}, lease_seconds=30)
        yield f"press-1 holds task {task.id} until {task.lease_until_utc}, attempt {task.attempts}"
        yield f"press-2 completes it: {queue.complete_task(task, 'press-2')}"
        yield f"press-1 completes it: {queue.complete_task(task, 'press-1')}"


def strategies(path: Path) -> Iterator[Say]:
    """Scheduling: the same three tasks in four orders."""
    db = QueueDatabase(path)
    queue = Queue(db)
    for strategy in SchedulingStrategy:
        for priority in (50, 10, 90):
            queue.enqueue("print", {}, priority=priority)
        claimer = TaskClaimerFactory.create(strategy, db)
        served = [claimer.claim_task("press-1", {}, 30) for _ in range(3)]
        yield f"{strategy.name:<16} priorities {[task.priority for task in served if task]}"
    db.close()


def observability(path: Path) -> Iterator[Say]:
    """Observability: counts that are all of one moment."""
    with QueueOn(path) as queue:
        yield f"{queue.queue_stats()}"


def maintenance(path: Path) -> Iterator[Say]:
    """Maintenance: what a dead worker held is taken back; what is finished goes."""
    with QueueOn(path) as queue:
        queue.enqueue("print", {"page": 3})
        with queue.db.transaction() as connection:
            connection.execute(
                "UPDATE task_queue SET lease_until_utc = datetime('now', '-1 minute') WHERE locked_by IS NOT NULL"
            )
        yield f"{queue.reclaim_expired()} leases were over, their tasks are queued again"
        yield f"{queue.delete_finished(older_than_seconds=0)} finished task is deleted"


class QueueOn(Queue):
    """A queue that closes its database at the end of a ``with``."""

    def __init__(self, path: Path) -> None:
        super().__init__(QueueDatabase(path))

    def __enter__(self) -> QueueOn:
        return self

    def __exit__(self, *exception: object) -> None:
        self.db.close()


PATTERNS: tuple[Callable[[Path], Iterator[Say]], ...] = (
    infrastructure,
    enqueue,
    claim,
    strategies,
    observability,
    maintenance,
)
