"""huey on SQLite, with the steps of its consumer made one at a time so that a test can stand between them."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

from huey import CancelExecution, SqliteHuey

from pytest_taskq import Backoff, Promises, SchedulingStrategy, StandaloneAdapter, Task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from huey.api import Task as Message


class Failed(Exception):  # noqa: N818 - what the work came to
    """The task's function did not succeed."""


class Adapter(StandaloneAdapter):
    """A claim is what the consumer does up to calling the task's function; the function then returns or raises.

    Between claim and end huey stores nothing about the task, here as in the consumer. ``_running`` stands for the
    stack frames of the functions under way: a function ends once, and in the process where it runs.
    """

    promises = Promises(
        time_precision=1.0,  # the scheduler runs once a second
        fifo_key="run_after",  # a delayed task joins the queue when it is due
        retried="to_back",  # a retry is enqueued anew
        priority_order="descending",
        backoff=Backoff(initial=1.0, multiplier=1.0, maximum=1.0, jitter=0.0),  # retry_delay=1
        strategies=frozenset({SchedulingStrategy.PRIORITY}),
        not_offered={
            "enqueue.idempotency_key": "each call of a task makes a new one",
            "enqueue.compatibility": "any worker of the queue takes any task",
            "capabilities": "any worker of the queue takes any task",
            "worker_id": "dequeue() takes no name of a worker",
            "leases": "a task leaves the queue when a worker takes it; there is no acknowledgement (documented)",
            "renew_lease": "there is no deadline to move",
            "reclaim_expired": "a task that a worker took is not in the queue any more",
            "enqueue_many": "map() enqueues one by one, not all or nothing",
            "claim_many": "dequeue() returns one task",
            "cancel_task": "revoke() marks a task to be thrown away and does not say if it was still waiting",
            "get_task": "results are kept by id, tasks are not",
            "queue_stats": "pending_count() and scheduled_count() know of waiting tasks only",
            "delete_finished": "nothing is kept of a finished task but its result, until that is read",
        },
    )

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self.huey = SqliteHuey(filename=dsn)
        self.work = self.huey.task(retry_delay=1, name="work")(self._work)
        self._running: dict[tuple[str, object], Message] = {}
        self._claims = itertools.count(1)
        self._outcome: Exception | None = None

    def close(self) -> None:
        """Close the connection."""
        self.huey.storage.close()

    def _work(self, type: str, payload: Any) -> None:  # noqa: A002, ANN401 - the contract's
        del type, payload
        if self._outcome is not None:
            raise self._outcome

    def enqueue(
        self,
        type: str,  # noqa: A002 - the contract's
        payload: Any,  # noqa: ANN401 - the contract's
        *,
        priority: int = 100,
        delay_seconds: float = 0.0,
        max_attempts: int = 5,
    ) -> str:
        """Call the task, now or later; one attempt and ``retries`` more."""
        _checked(type, payload)
        result = self.work.schedule((type, payload), delay=delay_seconds, priority=priority, retries=max_attempts - 1)
        return str(result.id)

    def advance(self, seconds: float) -> None:
        """Do what the consumer's scheduler does once a second: enqueue the tasks that have become due."""
        del seconds
        for task in self.huey.read_schedule():
            self.huey.enqueue(task)

    def claim_task(self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float) -> Task | None:
        """Do what a worker of the consumer does: take the first task, and put one that is not due on the schedule."""
        del capabilities, lease_seconds
        while (task := self.huey.dequeue()) is not None:
            if self.huey.ready_to_run(task):
                return self._begin(task, worker_id)
            self.huey.add_schedule(task)
        return None

    def claim_by(
        self, strategy: SchedulingStrategy, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        """Take the first task; the order is by priority, whoever asks."""
        if strategy != SchedulingStrategy.PRIORITY:
            raise ValueError(f"huey serves {SchedulingStrategy.PRIORITY.value!r} only, got {strategy!r}")
        return self.claim_task(worker_id, capabilities, lease_seconds)

    def complete_task(self, task: Task, worker_id: str) -> bool:
        """Let the task's function return."""
        return self._end(task, worker_id, None)

    def fail_task(self, task: Task, worker_id: str, error: str, *, retry: bool = True) -> bool:
        """Let the task's function raise."""
        return self._end(task, worker_id, Failed(error) if retry else CancelExecution(retry=False))

    def _begin(self, task: Message, worker_id: str) -> Task:
        claim = next(self._claims)
        self._running[worker_id, claim] = task
        kind, payload = task.args
        return Task(id=task.id, type=kind, payload=json.dumps(payload), priority=task.priority, handle=claim)

    def _end(self, task: Task, worker_id: str, outcome: Exception | None) -> bool:
        running = self._running.pop((worker_id, task.handle), None)
        if running is None:
            return False
        self._outcome = outcome
        self.huey.execute(running)
        return True


def _checked(type: str, payload: Any) -> None:  # noqa: A002, ANN401 - the contract's
    """Raise ValueError or TypeError for what the envelope cannot carry: it is ours, so its limits are, too."""
    if not isinstance(type, str) or not type:
        raise ValueError(f"type must be a text that is not empty, got {type!r:.100}")
    if json.loads(json.dumps(payload, allow_nan=False)) != payload:
        raise TypeError(f"payload would change in JSON: {payload!r:.100}")
