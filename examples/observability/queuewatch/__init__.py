"""Shows what is going on in the task queue, and is not noticed by it."""

from __future__ import annotations

from queuewatch.counts import counts_by_status
from queuewatch.exposition import exposition

__all__ = ["counts_by_status", "exposition"]
