"""What of the shared queue is ours, for ``pytest --taskq-conformance``."""

from __future__ import annotations

import queuekeeper
from pytest_taskq import QueueAdapter


class Adapter(QueueAdapter):
    """Worker 06, maintenance."""

    def reclaim_expired(self) -> int:
        return queuekeeper.take_back(self.db)

    def delete_finished(self, older_than_seconds: float) -> int:
        return queuekeeper.delete_completed(self.db, older_than_seconds)
