"""A strategy that nobody knows is a mistake to tell, not a FIFO."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter, SchedulingStrategy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_taskq import Task

STRATEGIES = {one.value: one for one in SchedulingStrategy}


class Broken(QueueAdapter):
    def claim_by(
        self,
        strategy: str,
        worker_id: str,
        capabilities: Mapping[str, Any],
        lease_seconds: float,
    ) -> Task | None:
        known = STRATEGIES.get(strategy, SchedulingStrategy.FIFO)
        return super().claim_by(known, worker_id, capabilities, lease_seconds)


class Corrected(QueueAdapter):
    def claim_by(
        self,
        strategy: str,
        worker_id: str,
        capabilities: Mapping[str, Any],
        lease_seconds: float,
    ) -> Task | None:
        if strategy not in STRATEGIES:
            raise ValueError(f"no strategy {strategy!r}; there are {', '.join(STRATEGIES)}")
        known = STRATEGIES[strategy]
        return super().claim_by(known, worker_id, capabilities, lease_seconds)
