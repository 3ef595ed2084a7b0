"""Keeps the task queue clean: takes back what dead workers hold, deletes what is done with."""

from __future__ import annotations

from queuekeeper.cleanup import delete_completed
from queuekeeper.leases import take_back

__all__ = ["delete_completed", "take_back"]
