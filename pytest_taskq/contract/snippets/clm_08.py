"""A worker without a name is refused: two that are given the same pass each other's fence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_taskq import Task


class Broken(QueueAdapter):
    def claim_task(
        self, worker_id: object, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        name = str(worker_id or "worker")
        return super().claim_task(name, capabilities, lease_seconds)


class Corrected(QueueAdapter):
    def claim_task(
        self, worker_id: object, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        if not isinstance(worker_id, str) or not worker_id:
            raise ValueError(f"worker_id must be a text that is not empty, got {worker_id!r}")
        return super().claim_task(worker_id, capabilities, lease_seconds)
