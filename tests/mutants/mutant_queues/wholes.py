"""Whole queues: one with fractional times on the shared schema, one in memory that shares nothing."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, ClassVar

from mutant_queues.client import Client, number, same_after_json, text, whole
from mutant_queues.engine import READ, Engine, equal, readable
from mutant_queues.keepers import Janitor, Observer
from mutant_queues.registry import twin
from mutant_queues.scheduler import Scheduler, WeightedScheduler
from mutant_queues.times import Milliseconds, WholeSeconds
from pytest_taskq import Promises, StandaloneAdapter
from pytest_taskq.reference_impl import Task

if TYPE_CHECKING:
    from collections.abc import Mapping


@twin(SCH_08="as WeightedScheduler")
class Fractional(Client, Engine, WeightedScheduler, Janitor, Observer):
    """Every time has milliseconds."""

    promises: ClassVar[Promises] = Promises(time_precision=0.001)
    times: ClassVar[WholeSeconds] = Milliseconds()
    ORDER: ClassVar[Any] = WeightedScheduler.ORDER
    DUE: ClassVar[str] = f"run_after_utc <= {Milliseconds.now}"

    def suitable(self, connection: Any, capabilities: Mapping[str, Any]) -> Any:
        rows = connection.execute(f"SELECT id, {READ} FROM task_queue WHERE {self.due()}").fetchall()
        return (row[0] for row in rows if self.suits(row[1], capabilities) and readable(row[2]))

    def lease(self, connection: Any, task_id: int, worker_id: str, lease_seconds: float) -> Task:
        return Scheduler.lease(self, connection, task_id, worker_id, lease_seconds)


_STORES: dict[str, list[dict[str, Any]]] = {}


@twin()
class InMemory(StandaloneAdapter):
    """A list of dictionaries; over leases come back with the next claim."""

    promises: ClassVar[Promises] = Promises(
        time_precision=0.001,
        not_offered={
            "claim_by": "one order only",
            "enqueue.idempotency_key": "no keys",
            "fail_task.retry": "always",
            "fail_task.error": "errors are not kept",
        },
    )

    def setup(self) -> None:
        _STORES[self.dsn] = []

    @property
    def tasks(self) -> list[dict[str, Any]]:
        return _STORES[self.dsn]

    def enqueue(
        self,
        type: str,
        payload: Any,
        *,
        priority: int = 100,
        delay_seconds: float = 0.0,
        max_attempts: int = 5,
        compatibility: Any = None,
    ) -> str:
        same_after_json(payload)
        task = {
            "id": f"t{len(self.tasks)}",
            "type": text("type", type),
            "payload": json.dumps(payload, allow_nan=False),
            "priority": whole("priority", priority),
            "due": time.time() + number("delay_seconds", delay_seconds),
            "max_attempts": whole("max_attempts", max_attempts, 1),
            "compatibility": dict(compatibility or {}),
            "status": "queued",
            "attempts": 0,
        }
        self.tasks.append(task)
        return task["id"]

    def claim_task(self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float) -> Task | None:
        text("worker_id", worker_id)
        until = time.time() + number("lease_seconds", lease_seconds, above=0)
        self.reclaim_expired()
        for task in self.tasks:
            able = all(k in capabilities and equal(capabilities[k], v) for k, v in task["compatibility"].items())
            if able and task["status"] == "queued" and task["due"] <= time.time():
                task.update(status="leased", attempts=task["attempts"] + 1, holder=worker_id, until=until)
                return self.shown(task)
        return None

    def shown(self, task: dict[str, Any]) -> Task:
        return Task(id=task["id"], type=task["type"], payload=task["payload"], handle=(task, task["attempts"]))

    def held(self, task: Task, worker_id: str) -> dict[str, Any] | None:
        row, attempt = task.handle
        return row if (row["status"], row["attempts"], row["holder"]) == ("leased", attempt, worker_id) else None

    def complete_task(self, task: Task, worker_id: str) -> bool:
        row = self.held(task, worker_id)
        if row:
            row["status"] = "completed"
        return row is not None

    def fail_task(self, task: Task, worker_id: str, _error: str) -> bool:
        row = self.held(task, worker_id)
        if row:
            again = row["attempts"] < row["max_attempts"]
            row["status"] = "queued" if again else "failed"
            row["due"] = time.time() + self.promises.backoff.longest(row["attempts"])
        return row is not None

    def renew_lease(self, task: Task, worker_id: str, lease_seconds: float) -> bool:
        number("lease_seconds", lease_seconds, above=0)
        row = self.held(task, worker_id)
        if row:
            row["until"] = time.time() + lease_seconds
        return row is not None

    def reclaim_expired(self) -> int:
        over = [task for task in self.tasks if task["status"] == "leased" and task["until"] <= time.time()]
        for task in over:
            task["status"] = "queued" if task["attempts"] < task["max_attempts"] else "failed"
            task["due"] = time.time()
        return len(over)

    def queue_stats(self) -> dict[str, int]:
        statuses = [task["status"] for task in self.tasks]
        return {status: statuses.count(status) for status in statuses}
