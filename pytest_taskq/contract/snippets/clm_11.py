"""What cannot be read is failed for good; an exception after the claim leases it to nobody."""

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
        task = super().claim_task(worker_id, capabilities, lease_seconds)
        if task:
            task.get_payload_dict()  # raises if it is not JSON
        return task


class Corrected(QueueAdapter):
    def claim_task(
        self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        while task := super().claim_task(worker_id, capabilities, lease_seconds):
            try:
                task.get_payload_dict()  # raises if it is not JSON
            except ValueError as error:
                self.fail_task(task, worker_id, str(error), retry=False)
            else:
                return task
        return None
