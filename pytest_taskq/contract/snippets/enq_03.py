"""No attempt at all is somebody's mistake in a configuration; who corrects it hides it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter

if TYPE_CHECKING:
    from pytest_taskq import TaskId


class Broken(QueueAdapter):
    def enqueue(
        self, type: str, payload: Any, *, max_attempts: Any = 5, **options: Any
    ) -> TaskId:
        attempts = max(1, max_attempts)
        return super().enqueue(type, payload, max_attempts=attempts, **options)


class Corrected(QueueAdapter):
    def enqueue(
        self, type: str, payload: Any, *, max_attempts: Any = 5, **options: Any
    ) -> TaskId:
        if not isinstance(max_attempts, int) or max_attempts < 1:
            raise ValueError(f"max_attempts must be an integer from 1, got {max_attempts!r}")
        return super().enqueue(type, payload, max_attempts=max_attempts, **options)
