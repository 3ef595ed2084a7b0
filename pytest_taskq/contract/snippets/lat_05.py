"""A pause at the start keeps workers apart; before each claim, the longest pause starves."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_taskq import Task


def offset(worker_id: str) -> float:
    """Return seconds by the last sign of the name, such as the number in `w3`."""
    return ord(worker_id[-1]) % 8 * 0.05


class Broken(QueueAdapter):
    def claim_task(
        self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        time.sleep(offset(worker_id))
        return super().claim_task(worker_id, capabilities, lease_seconds)


class Corrected(QueueAdapter):
    has_begun = False

    def claim_task(
        self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        if not self.has_begun:
            time.sleep(offset(worker_id))
            self.has_begun = True
        return super().claim_task(worker_id, capabilities, lease_seconds)
