"""How fast the reference's operations are on a scratch copy of the database at hand."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from statistics import quantiles
from typing import TYPE_CHECKING

from pytest_taskq.contract import SchedulingStrategy
from pytest_taskq.reference_impl.database import QueueDatabase
from pytest_taskq.reference_impl.queue import Queue

from .scratch import WORKER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CALLS = 200
_LEASE = 3600.0


@dataclass(frozen=True, slots=True)
class Timed:
    """Seconds that one call took at the median, and that 95 and 99 of a hundred did not exceed."""

    name: str
    calls: int
    p50: float
    p95: float
    p99: float


def timings(path: Path) -> Iterator[Timed]:
    """Yield each operation's times over ``CALLS`` calls on the copy at ``path``; no verdict: other loads are there."""
    with closing(QueueDatabase(path)) as db:
        queue = Queue(db)
        queue.enqueue(WORKER, {})  # what comes with the first write is not counted
        yield _timed("enqueue", lambda: queue.enqueue(WORKER, {"n": 1}))
        for strategy in SchedulingStrategy:
            queue.enqueue_many([{"type": WORKER, "payload": {}}] * CALLS)
            yield _timed(f"claim_by {strategy.name}", partial(queue.claim_by, strategy, WORKER, {}, _LEASE))
        queue.enqueue_many([{"type": WORKER, "payload": {}}] * CALLS)
        held = [task for _ in range(CALLS) if (task := queue.claim_task(WORKER, {}, _LEASE))]
        waiting = iter(held * 2)
        yield _timed("renew_lease", lambda: queue.renew_lease(next(waiting), WORKER, _LEASE))
        yield _timed("complete_task", lambda: queue.complete_task(next(waiting), WORKER))
        yield _timed("queue_stats", queue.queue_stats)


def _timed(name: str, call: Callable[[], object]) -> Timed:
    seconds = []
    for _ in range(CALLS):
        begun = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begun)
    cuts = quantiles(seconds, n=100, method="inclusive")
    return Timed(name, CALLS, cuts[49], cuts[94], cuts[98])
