"""Queues that are right and too slow: each call twice as long as its target, or as long as the queue is."""

from __future__ import annotations

import time

from mutant_queues.registry import TIMING, breaks, twin
from pytest_taskq import QueueAdapter

_EVERY = 100


@breaks("LAT-01", TIMING, "calls of enqueue took 10 ms or longer")
class EnqueuesSlowly(QueueAdapter):
    """Takes twenty milliseconds for each enqueue."""

    def enqueue(self, type, payload, **options):
        time.sleep(0.020)
        return self.reference.enqueue(type, payload, **options)


@breaks("LAT-03", TIMING, "calls of renew_lease took 5 ms or longer")
class RenewsBusily(QueueAdapter):
    """Computes for ten milliseconds before each renewal."""

    def renew_lease(self, task, worker_id, lease_seconds):
        until = time.thread_time() + 0.010
        while time.thread_time() < until:
            pass
        return self.reference.renew_lease(task, worker_id, lease_seconds)


@breaks("LAT-04", TIMING, "calls of queue_stats took 50 ms or longer")
class CountsSlowly(QueueAdapter):
    """Takes a tenth of a second for the statistics."""

    def queue_stats(self):
        time.sleep(0.100)
        return self.reference.queue_stats()


# --- LAT-02 and LAT-06 ------------------------------------------------------------------------------------------------


@twin()
class PausesNowAndThen(QueueAdapter):
    """Sleeps for twenty milliseconds in each hundredth claim: a p95 does not see that, and a p99 does."""

    def __init__(self, dsn):
        super().__init__(dsn)
        self.claims = 0

    def claim_task(self, worker_id, capabilities, lease_seconds):
        self.claims += 1
        if self.claims % _EVERY == 0:
            time.sleep(0.020)
        return self.reference.claim_task(worker_id, capabilities, lease_seconds)


@breaks("LAT-02", TIMING, "calls of claim_task took 5 ms or longer", twin=PausesNowAndThen)
class ClaimsSlowly(QueueAdapter):
    """Takes ten milliseconds for each claim."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        time.sleep(0.010)
        return self.reference.claim_task(worker_id, capabilities, lease_seconds)


@breaks("LAT-06", TIMING, "took more than 3 times as long at 20000 queued as at 1000")
class ScansBeforeItClaims(QueueAdapter):
    """Looks at every task that waits before each claim."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        with self.db.connection() as connection:
            connection.execute("SELECT max(length(payload) + length(error_message)) FROM task_queue").fetchone()
        return self.reference.claim_task(worker_id, capabilities, lease_seconds)
