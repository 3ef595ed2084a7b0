"""What of the shared queue is ours, for ``pytest --taskq-conformance``."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from millworker.engine import BACKOFF, Engine
from pytest_taskq import Promises, QueueAdapter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_taskq import Task


class Adapter(QueueAdapter):
    """Worker 03, the engine."""

    promises: ClassVar[Promises] = Promises(backoff=BACKOFF)

    @cached_property
    def engine(self) -> Engine:
        return Engine(self.db).install()

    def claim_task(self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float) -> Task | None:
        return self.engine.claim(worker_id, capabilities, lease_seconds)

    def claim_many(self, n: int, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float) -> list[Task]:
        return self.engine.claim_many(n, worker_id, capabilities, lease_seconds)

    def complete_task(self, task: Task, worker_id: str) -> bool:
        return self.engine.complete(task, worker_id)

    def fail_task(self, task: Task, worker_id: str, error: str, *, retry: bool = True) -> bool:
        return self.engine.fail(task, worker_id, error, retry=retry)

    def renew_lease(self, task: Task, worker_id: str, lease_seconds: float) -> bool:
        return self.engine.renew(task, worker_id, lease_seconds)
