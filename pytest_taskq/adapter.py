"""The one class a team writes: what it overrides is graded, the rest is the reference queue."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_taskq.contract.promises import Promises

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_taskq.contract import Connection, Database, SchedulingStrategy, Task, TaskId
    from pytest_taskq.reference_impl import Queue


class NotOfferedError(NotImplementedError):
    """A standalone queue was asked for something it does not offer."""


class QueueAdapter:
    """One actor's access to the shared queue at ``dsn``; every method not overridden is the reference's.

    ``dsn`` is ``sqlite:///path`` (an absolute path makes four slashes) or ``postgresql://…``. ``self.db`` is the
    database, opened on first use. The kit makes one instance per actor (thread or process) and calls ``close`` at the
    end. Methods may be ``async def``. ``owned`` names methods that are this team's although the class does not override
    them (code that replaces the reference by other means); they are graded too.
    """

    promises: ClassVar[Promises] = Promises()
    owned: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    @cached_property
    def db(self) -> Database:
        """The database that every method of this adapter uses, opened on first use."""
        return self.open_database()

    @cached_property
    def reference(self) -> Queue:
        """The reference queue on ``self.db``."""
        from pytest_taskq.reference_impl import queue_on

        return queue_on(self.db, dsn=self.dsn)

    def open_database(self, **settings: Any) -> Database:  # noqa: ANN401 - refused by name and value
        """Open the database at ``self.dsn``; ``settings`` are those of ``QueueDatabase``."""
        from pytest_taskq.reference_impl import open_database

        return open_database(self.dsn, **settings)

    def close(self) -> None:
        """Close the database if it was opened."""
        if "db" in self.__dict__:
            self.db.close()

    def enqueue(
        self,
        type: str,  # noqa: A002 - the contract's name
        payload: Any,  # noqa: ANN401 - any JSON value
        *,
        priority: int = 100,
        delay_seconds: float = 0.0,
        max_attempts: int = 5,
        idempotency_key: str | None = None,
        compatibility: Mapping[str, Any] | None = None,
    ) -> TaskId:
        """Store a new task and return its id."""
        return self.reference.enqueue(
            type,
            payload,
            priority=priority,
            delay_seconds=delay_seconds,
            max_attempts=max_attempts,
            idempotency_key=idempotency_key,
            compatibility=compatibility,
        )

    def enqueue_in(self, connection: Connection, type: str, payload: Any, **options: Any) -> TaskId:  # noqa: A002, ANN401 - as enqueue
        """Store a new task inside the caller's transaction."""
        return self.reference.enqueue_in(connection, type, payload, **options)

    def enqueue_many(self, items: Iterable[Mapping[str, Any]]) -> list[TaskId]:
        """Store all items or none; each is the keyword arguments of one ``enqueue``. Ids come in their order."""
        return self.reference.enqueue_many(items)

    def cancel_task(self, task_id: TaskId) -> bool:
        """Take a queued task out of the queue; True if it was queued and now never runs."""
        return self.reference.cancel_task(task_id)

    def get_task(self, task_id: TaskId) -> Task | None:
        """Return the task as it is, None for an unknown id."""
        return self.reference.get_task(task_id)

    def claim_task(self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float) -> Task | None:
        """Lease any due task that the worker is able to do."""
        return self.reference.claim_task(worker_id, capabilities, lease_seconds)

    def claim_by(
        self, strategy: SchedulingStrategy, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        """Lease the due task that comes first under ``strategy``."""
        return self.reference.claim_by(strategy, worker_id, capabilities, lease_seconds)

    def claim_many(self, n: int, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float) -> list[Task]:
        """Lease at most ``n`` due tasks."""
        return self.reference.claim_many(n, worker_id, capabilities, lease_seconds)

    def complete_task(self, task: Task, worker_id: str) -> bool:
        """Finish the task; True if the caller held it."""
        return self.reference.complete_task(task, worker_id)

    def fail_task(self, task: Task, worker_id: str, error: str, *, retry: bool = True) -> bool:
        """Record a failure and retry after the backoff, or give up; True if the caller held the task."""
        return self.reference.fail_task(task, worker_id, error, retry=retry)

    def renew_lease(self, task: Task, worker_id: str, lease_seconds: float) -> bool:
        """Move the deadline to ``lease_seconds`` from now; True if the caller held the task."""
        return self.reference.renew_lease(task, worker_id, lease_seconds)

    def queue_stats(self) -> dict[str, int]:
        """Return the number of tasks per status."""
        return self.reference.queue_stats()

    def reclaim_expired(self) -> int:
        """Take back every task whose lease is over; return how many."""
        return self.reference.reclaim_expired()

    def delete_finished(self, older_than_seconds: float) -> int:
        """Delete the tasks finished longer ago than that; return how many."""
        return self.reference.delete_finished(older_than_seconds)


class StandaloneAdapter:
    """A whole queue with its own storage: nothing stands behind it, what it does not implement is not offered.

    ``dsn`` is a place of its own that it may use: a file path in a temporary folder, or what ``--taskq-dsn`` names.
    Implement, under the names and signatures of ``QueueAdapter``, the methods that the queue has. ``setup`` is called
    once per fresh store, ``advance(seconds)`` if the queue has a clock of its own that the kit must move,
    ``all_tasks()`` lists every task for the checks of conservation.
    """

    promises: ClassVar[Promises] = Promises()
    owned: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    def setup(self) -> None:
        """Make the fresh store usable; nothing to do unless overridden."""

    def close(self) -> None:
        """Let go of the store; nothing to do unless overridden."""
