"""An empty queue is no error: None is what a worker goes to sleep on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_taskq import Task


class Broken(QueueAdapter):
    def claim_task(
        self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        [task] = self.claim_many(1, worker_id, capabilities, lease_seconds)
        return task


class Corrected(QueueAdapter):
    def claim_task(
        self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        tasks = self.claim_many(1, worker_id, capabilities, lease_seconds)
        return tasks[0] if tasks else None
