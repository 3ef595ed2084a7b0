"""What of the shared queue is ours, for ``pytest --taskq-conformance``."""

from __future__ import annotations

import queuewatch
from pytest_taskq import QueueAdapter


class Adapter(QueueAdapter):
    """Worker 05, observability. The method is a coroutine, as in our service; the kit awaits it."""

    async def queue_stats(self) -> dict[str, int]:  # type: ignore[override]  # the kit awaits it
        return await queuewatch.counts_by_status(self.db)
