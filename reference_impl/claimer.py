"""A claim with its strategy chosen beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .claiming import known_strategy
from .opening import queue_on

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_taskq.contract import Database, SchedulingStrategy, Task

    from .queue import Queue


class TaskClaimer:
    """Claims tasks from a queue, always by the same strategy."""

    def __init__(self, queue: Queue, strategy: SchedulingStrategy) -> None:
        self.queue = queue
        self.strategy = strategy

    def claim_task(self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float) -> Task | None:
        """Lease the due task that comes first under the strategy and that the worker is able to do, or None."""
        return self.queue.claim_by(self.strategy, worker_id, capabilities, lease_seconds)


class TaskClaimerFactory:
    """Makes claimers."""

    @staticmethod
    def create(strategy: SchedulingStrategy | str, db: Database) -> TaskClaimer:
        """Return a claimer on ``db``. Raises ValueError, naming the known strategies, if this is none."""
        return TaskClaimer(queue_on(db), known_strategy(strategy))
