"""litequeue through its public methods, as a worker of its users calls them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from litequeue import LiteQueue, Message, MessageStatus

from pytest_taskq import Backoff, Promises, SchedulingStrategy, StandaloneAdapter, Task
from pytest_taskq.contract import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

_STATUS = {
    MessageStatus.READY: Status.QUEUED,
    MessageStatus.LOCKED: Status.LEASED,
    MessageStatus.DONE: Status.COMPLETED,
    MessageStatus.FAILED: Status.FAILED,
}


class Adapter(StandaloneAdapter):
    """A message is a string, so type and payload travel in it as JSON, as the README suggests."""

    promises = Promises(
        time_precision=0.001,  # nanoseconds; the kit's clock moves by milliseconds
        retried="keeps_place",  # retry() leaves message_id, which is the order, as it was
        backoff=Backoff(initial=0.0, jitter=0.0),
        strategies=frozenset({SchedulingStrategy.FIFO}),
        not_offered={
            "enqueue.priority": "pop() serves by age alone",
            "enqueue.delay_seconds": "a message is ready when put() returns",
            "enqueue.max_attempts": "attempts are not counted; when to give up is left to the caller",
            "enqueue.idempotency_key": "put() makes an id of its own and takes none",
            "enqueue.compatibility": "any worker may pop any message",
            "capabilities": "any worker may pop any message",
            "worker_id": "pop() takes no name of a worker",
            "leases": "a locked message has no deadline; list_locked() and retry() are there for a reaper of one's own",
            "renew_lease": "there is no deadline to move",
            "reclaim_expired": "there is no deadline to go by; list_locked() asks for an age",
            "fail_task.error": "retry() and mark_failed() take no text",
            "enqueue_many": "put() takes one message",
            "claim_many": "pop() returns one message",
            "cancel_task": "there is no way to take a ready message out",
            "queue_stats": "qsize() counts ready and locked messages together, and nothing counts the others",
            "delete_finished": "prune() takes no age and returns no count",
        },
    )

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self.queue = LiteQueue(dsn)

    def close(self) -> None:
        """Close the connection."""
        self.queue.close()

    def enqueue(self, type: str, payload: Any) -> str:  # noqa: A002, ANN401 - the contract's
        """Put a message."""
        _checked(type, payload)
        message = self.queue.put(json.dumps({"type": type, "payload": payload}, allow_nan=False))
        return str(message.message_id)

    def get_task(self, task_id: str) -> Task | None:
        """Get a message by its id."""
        return _task(self.queue.get(task_id))

    def claim_task(self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float) -> Task | None:
        """Pop the oldest message; litequeue records neither who took it nor for how long."""
        del worker_id, capabilities, lease_seconds
        return _task(self.queue.pop())

    def claim_by(
        self, strategy: SchedulingStrategy, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        """Pop the oldest message."""
        if strategy != SchedulingStrategy.FIFO:
            raise ValueError(f"litequeue serves {SchedulingStrategy.FIFO.value!r} only, got {strategy!r}")
        return self.claim_task(worker_id, capabilities, lease_seconds)

    def complete_task(self, task: Task, worker_id: str) -> bool:
        """Mark the message as done; done() never refuses and does not say whether anything changed."""
        del worker_id
        self.queue.done(task.id)
        return True

    def fail_task(self, task: Task, worker_id: str, error: str, *, retry: bool = True) -> bool:
        """Make the message ready again, or mark it as failed; neither call takes an error text or refuses."""
        del worker_id, error
        if retry:
            self.queue.retry(task.id)
        else:
            self.queue.mark_failed(task.id)
        return True


def _task(message: Message | None) -> Task | None:
    if message is None:
        return None
    body = json.loads(message.data)
    return Task(
        id=message.message_id,
        type=body["type"],
        payload=json.dumps(body["payload"]),
        status=_STATUS[MessageStatus(message.status)],
    )


def _checked(type: str, payload: Any) -> None:  # noqa: A002, ANN401 - the contract's
    """Raise ValueError or TypeError for what the envelope cannot carry: it is ours, so its limits are, too."""
    if not isinstance(type, str) or not type:
        raise ValueError(f"type must be a text that is not empty, got {type!r:.100}")
    if json.loads(json.dumps(payload, allow_nan=False)) != payload:
        raise TypeError(f"payload would change in JSON: {payload!r:.100}")
