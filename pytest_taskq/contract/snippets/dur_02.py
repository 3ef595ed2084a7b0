"""A claim that failed is not an empty queue: its error goes on to the caller."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter
from pytest_taskq.reference_impl import QueueDatabaseError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_taskq import Task

LOG = logging.getLogger(__name__)


class Broken(QueueAdapter):
    def claim_task(
        self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        try:
            return super().claim_task(worker_id, capabilities, lease_seconds)
        except QueueDatabaseError:
            LOG.exception("%s cannot claim", worker_id)
            return None


class Corrected(QueueAdapter):
    def claim_task(
        self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        try:
            return super().claim_task(worker_id, capabilities, lease_seconds)
        except QueueDatabaseError:
            LOG.exception("%s cannot claim", worker_id)
            raise
