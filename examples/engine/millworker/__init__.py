"""The mill: claims tasks, runs them, and says what became of them."""

from __future__ import annotations

from millworker.engine import Engine
from millworker.worker import Worker

__all__ = ["Engine", "Worker"]
