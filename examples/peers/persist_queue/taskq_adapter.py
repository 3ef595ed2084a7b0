"""persist-queue's SQLiteAckQueue through its public methods, as a worker of its users calls them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from persistqueue import Empty, SQLiteAckQueue
from persistqueue.sqlackqueue import AckStatus

from pytest_taskq import Backoff, Promises, SchedulingStrategy, StandaloneAdapter, Task
from pytest_taskq.contract import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

_STATUS = {
    AckStatus.inited: Status.QUEUED,
    AckStatus.ready: Status.QUEUED,
    AckStatus.unack: Status.LEASED,
    AckStatus.acked: Status.COMPLETED,
    AckStatus.ack_failed: Status.FAILED,
}


class Adapter(StandaloneAdapter):
    """An item is any Python value that can be pickled; here a dict of type and payload.

    What ``get`` returned is what ``ack``, ``nack`` and ``ack_failed`` are given, as the README does it.
    """

    promises = Promises(
        retried="keeps_place",  # nack() leaves the row where it was
        backoff=Backoff(initial=0.0, jitter=0.0),
        busy_timeout=10.0,
        strategies=frozenset({SchedulingStrategy.FIFO}),
        not_offered={
            "enqueue.priority": "SQLiteAckQueue is a FIFO; PriorityQueue is another class, without acknowledgements",
            "enqueue.delay_seconds": "an item is ready when put() returns",
            "enqueue.max_attempts": "attempts are not counted; when to call ack_failed() is left to the caller",
            "enqueue.idempotency_key": "UniqueAckQ compares whole items; there is no key",
            "enqueue.compatibility": "any worker may get any item",
            "capabilities": "any worker may get any item",
            "worker_id": "get() takes no name of a worker",
            "leases": "an item that was not acknowledged comes back when the queue is opened again, not after a time",
            "renew_lease": "there is no deadline to move",
            "reclaim_expired": "there is no deadline to go by; resume_unack_tasks() takes back everything",
            "fail_task.error": "nack() and ack_failed() take no text",
            "enqueue_many": "put() takes one item",
            "claim_many": "get() returns one item",
            "cancel_task": "there is no way to take a waiting item out",
            "delete_finished": "clear_acked_data() goes by number of items, not by their age, and returns no count",
        },
    )

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self.queue = SQLiteAckQueue(dsn, multithreading=True)

    def close(self) -> None:
        """Close the connections."""
        self.queue.close()

    def enqueue(self, type: str, payload: Any) -> int | None:  # noqa: A002, ANN401 - the contract's
        """Put an item."""
        _checked(type, payload)
        return self.queue.put({"type": type, "payload": payload})

    def get_task(self, task_id: int) -> Task | None:
        """Look an item up in the list of all of them."""
        return next((task for task in self.all_tasks() if task.id == task_id), None)

    def all_tasks(self) -> list[Task]:
        """List the items; ``queue()`` shows those that are done as well."""
        return [_task(row["id"], row["data"], status=_STATUS[str(row["status"])]) for row in self.queue.queue()]

    def claim_task(self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float) -> Task | None:
        """Get the oldest item; the queue records neither who took it nor for how long."""
        del worker_id, capabilities, lease_seconds
        try:
            found = self.queue.get(block=False, raw=True)
        except Empty:
            return None
        return _task(found["pqid"], found["data"], handle=found["data"])

    def claim_by(
        self, strategy: SchedulingStrategy, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        """Get the oldest item."""
        if strategy != SchedulingStrategy.FIFO:
            raise ValueError(f"SQLiteAckQueue serves {SchedulingStrategy.FIFO.value!r} only, got {strategy!r}")
        return self.claim_task(worker_id, capabilities, lease_seconds)

    def complete_task(self, task: Task, worker_id: str) -> bool:
        """Acknowledge the item; ``ack`` returns None for one that this queue object does not hold."""
        del worker_id
        return self.queue.ack(task.handle) is not None

    def fail_task(self, task: Task, worker_id: str, error: str, *, retry: bool = True) -> bool:
        """Put the item back, or mark it as failed; neither call takes an error text."""
        del worker_id, error
        end = self.queue.nack if retry else self.queue.ack_failed
        return end(task.handle) is not None

    def queue_stats(self) -> dict[str, int]:
        """Count through the queue's own counters."""
        return {
            Status.QUEUED: self.queue.qsize(),
            Status.LEASED: self.queue.unack_count(),
            Status.COMPLETED: self.queue.acked_count(),
            Status.FAILED: self.queue.ack_failed_count(),
        }


def _task(item_id: int, item: dict[str, Any], *, status: Status | None = None, handle: object = None) -> Task:
    return Task(id=item_id, type=item["type"], payload=json.dumps(item["payload"]), status=status, handle=handle)


def _checked(type: str, payload: Any) -> None:  # noqa: A002, ANN401 - the contract's
    """Raise ValueError or TypeError for what the envelope cannot carry: it is ours, so its limits are, too."""
    if not isinstance(type, str) or not type:
        raise ValueError(f"type must be a text that is not empty, got {type!r:.100}")
    if json.loads(json.dumps(payload, allow_nan=False)) != payload:
        raise TypeError(f"payload would change in JSON: {payload!r:.100}")
