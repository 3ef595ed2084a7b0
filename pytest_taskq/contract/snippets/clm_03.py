"""What a worker leases ahead is lost to the others while it works, and with it when it dies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_taskq import Task


class Broken(QueueAdapter):
    ahead: tuple[Task, ...] = ()

    def claim_task(
        self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        if not self.ahead:
            self.ahead = (*self.claim_many(10, worker_id, capabilities, lease_seconds),)
        first, self.ahead = self.ahead[:1], self.ahead[1:]
        return first[0] if first else None


class Corrected(QueueAdapter):
    def claim_task(
        self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        first = self.claim_many(1, worker_id, capabilities, lease_seconds)
        return first[0] if first else None
