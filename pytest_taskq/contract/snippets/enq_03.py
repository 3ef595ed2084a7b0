"""A delay below zero is somebody's mistake in a calculation; who corrects it hides it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter

if TYPE_CHECKING:
    from pytest_taskq import TaskId


class Broken(QueueAdapter):
    def enqueue(
        self, type: str, payload: Any, *, delay_seconds: Any = 0.0, **options: Any
    ) -> TaskId:
        delay = max(0.0, delay_seconds)
        return super().enqueue(type, payload, delay_seconds=delay, **options)


class Corrected(QueueAdapter):
    def enqueue(
        self, type: str, payload: Any, *, delay_seconds: Any = 0.0, **options: Any
    ) -> TaskId:
        is_number = isinstance(delay_seconds, int | float)
        if not is_number or not 0 <= delay_seconds < math.inf:
            raise ValueError(f"delay_seconds must be from 0 up, got {delay_seconds!r}")
        return super().enqueue(type, payload, delay_seconds=delay_seconds, **options)
