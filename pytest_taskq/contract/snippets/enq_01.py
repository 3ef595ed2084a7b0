"""0 is a priority, the most urgent of all; only None is none given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter

if TYPE_CHECKING:
    from pytest_taskq import TaskId


class Broken(QueueAdapter):
    def enqueue(
        self, type: str, payload: Any, *, priority: int | None = None, **options: Any
    ) -> TaskId:
        urgency = priority or 100
        return super().enqueue(type, payload, priority=urgency, **options)


class Corrected(QueueAdapter):
    def enqueue(
        self, type: str, payload: Any, *, priority: int | None = None, **options: Any
    ) -> TaskId:
        urgency = 100 if priority is None else priority
        return super().enqueue(type, payload, priority=urgency, **options)
