"""Queues that do all that they should, one call at a time, and fail four workers, or a writer beside a dashboard."""

from __future__ import annotations

import sqlite3
import time

from mutant_queues.registry import HISTORY, TIMING, breaks
from pytest_taskq import QueueAdapter


@breaks("LAT-05", TIMING, r"expected 400 tasks a minute from 4 workers or more; seen \d")
class AsksNowAndThen(QueueAdapter):
    """Waits for four seconds before each claim, so as not to disturb the queue."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        time.sleep(4)
        return self.reference.claim_task(worker_id, capabilities, lease_seconds)


@breaks("LAT-05", HISTORY, r"a quarter of its fair share or more; seen w3 got \d+ of \d+ claims")
class StepsBack(QueueAdapter):
    """To keep out of each other's way, a worker waits the longer before each claim the higher its number is."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        time.sleep(0.04 * int(worker_id[-1]))
        return self.reference.claim_task(worker_id, capabilities, lease_seconds)


@breaks("LAT-07", HISTORY, r"no lock error before the busy timeout of 5 s; seen \w+ raised after")
class AsksOnce(QueueAdapter):
    """A claim asks for the lock once, and tells its caller in its own words that another was faster."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        probe = sqlite3.connect(self.db.path, timeout=0, isolation_level=None)
        try:
            probe.execute("BEGIN IMMEDIATE")
            probe.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            raise RuntimeError("somebody else was faster, try again") from error
        finally:
            probe.close()
        return self.reference.claim_task(worker_id, capabilities, lease_seconds)


class CountsSlowly(QueueAdapter):
    """Takes its time over a snapshot, which keeps nobody waiting."""

    def held(self):
        return self.db.connection()

    def queue_stats(self):
        with self.held() as connection:
            begun = connection.in_transaction
            if not begun:
                connection.execute("BEGIN")
            rows = connection.execute("SELECT status, count(*) FROM task_queue GROUP BY status").fetchall()
            time.sleep(0.05)
            if not begun:
                connection.execute("COMMIT")
        return {row[0]: row[1] for row in rows}


@breaks("OBS-04", TIMING, r"keep p95 < 10 ms while statistics are read; seen that in \d+ of \d+ pairs")
class CountsSlowlyWithTheLock(CountsSlowly):
    """Takes its time over a count inside a write transaction."""

    def held(self):
        return self.db.transaction()
