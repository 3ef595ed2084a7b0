"""What of the shared queue is ours, for ``pytest --taskq-conformance``."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from dispatcher import STRATEGIES, Dispatcher
from pytest_taskq import Promises, QueueAdapter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_taskq import SchedulingStrategy, Task


class Adapter(QueueAdapter):
    """Worker 04, scheduling. What differs from the contract's defaults is promised here, and graded as promised."""

    promises: ClassVar[Promises] = Promises(
        strategies=STRATEGIES,
        priority_order="descending",  # a higher number is more urgent
        fifo_key="run_after",  # age counts from when a task became due
    )

    @cached_property
    def dispatcher(self) -> Dispatcher:
        return Dispatcher(self.db).install()

    def claim_by(
        self, strategy: SchedulingStrategy, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        return self.dispatcher.claim(strategy, worker_id, capabilities, lease_seconds)
