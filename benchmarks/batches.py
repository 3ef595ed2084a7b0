"""What the batch forms bring: tasks per second of the reference, one, ten or a hundred to a call, taking turns."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .queues.candidate import LEASE, PAYLOAD, TYPE, WORKER, load

if TYPE_CHECKING:
    from pytest_taskq.reference_impl import Queue

    from .places import Places
    from .single import Size

TO_A_CALL = (1, 10, 100)


@dataclass(slots=True)
class Batches:
    """The seconds that all rounds took, for so many tasks to a call."""

    to_a_call: int
    tasks: int = 0
    seconds: dict[str, float] = field(default_factory=lambda: {"enqueue": 0.0, "claim": 0.0})

    def to_dict(self) -> dict[str, Any]:
        """Return the tasks per second of each verb."""
        speeds = {verb: round(self.tasks / seconds) for verb, seconds in self.seconds.items()}
        return {"to_a_call": self.to_a_call, **speeds}


def measure(spec: str, synchronous: str, size: Size, places: Places) -> list[Batches]:
    """Return what each form took; a block is ``size.block`` calls of the largest."""
    found = [Batches(to_a_call) for to_a_call in TO_A_CALL]
    with places.fresh("batches", synchronous) as place:
        candidate: Any = load(spec)(place, synchronous)
        for _ in range(size.depth):
            candidate.enqueue()
        turns = list(found)
        for _ in range(size.rounds):
            random.shuffle(turns)
            for one in turns:
                _block(candidate.queue, one, size.block * max(TO_A_CALL))
        candidate.close()
    return found


def _block(queue: Queue, one: Batches, tasks: int) -> None:
    items = [{"type": TYPE, "payload": PAYLOAD}] * one.to_a_call
    calls = range(tasks // one.to_a_call)
    began = time.perf_counter()
    for _ in calls:
        if one.to_a_call == 1:
            queue.enqueue(TYPE, PAYLOAD)
        else:
            queue.enqueue_many(items)
    enqueued = time.perf_counter()
    claimed = 0
    for _ in calls:
        if one.to_a_call == 1:
            claimed += queue.claim_task(WORKER, {}, LEASE) is not None
        else:
            claimed += len(queue.claim_many(one.to_a_call, WORKER, {}, LEASE))
    if claimed != tasks:
        raise RuntimeError(f"{tasks} tasks were to be claimed, {one.to_a_call} to a call, but {claimed} were")
    one.tasks += tasks
    one.seconds["enqueue"] += enqueued - began
    one.seconds["claim"] += time.perf_counter() - enqueued
