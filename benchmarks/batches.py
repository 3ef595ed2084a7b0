"""What the batch forms bring: tasks per second, one, ten or a hundred to a call, taking turns."""

from __future__ import annotations

import random
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from .queues.candidate import Batching, load

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .places import Places
    from .single import Size

TO_A_CALL = (1, 10, 100)


@dataclass(slots=True)
class Batches:
    """The seconds that all rounds of one candidate took, for so many tasks to a call."""

    name: str
    to_a_call: int
    tasks: int = 0
    seconds: dict[str, float] = field(default_factory=lambda: {"enqueue": 0.0, "claim": 0.0})

    def to_dict(self) -> dict[str, Any]:
        """Return the tasks per second of each verb, None for one that has no such form."""
        speeds = {verb: round(self.tasks / seconds) if seconds else None for verb, seconds in self.seconds.items()}
        return {"name": self.name, "to_a_call": self.to_a_call, **speeds}


def measure(specs: Iterable[str], synchronous: str, size: Size, places: Places) -> list[Batches]:
    """Return what each form of each candidate took; a block is ``size.block`` calls of the largest."""
    turns = []
    with ExitStack() as stack:
        for number, spec in enumerate(specs):
            place = stack.enter_context(places.fresh(f"batches-{number}", synchronous))
            candidate = cast("Batching", load(spec)(place, synchronous))
            stack.callback(candidate.close)
            for _ in range(size.depth):
                candidate.enqueue()
            places.settle(place)
            turns += [(candidate, Batches(candidate.name, to_a_call)) for to_a_call in TO_A_CALL]
        found = [one for _, one in turns]
        for _ in range(size.rounds):
            random.shuffle(turns)
            for candidate, one in turns:
                _block(candidate, one, size.block * max(TO_A_CALL))
    return found


def _block(candidate: Batching, one: Batches, tasks: int) -> None:
    calls = tasks // one.to_a_call
    began = time.perf_counter()
    for _ in range(calls):
        _enqueue(candidate, one.to_a_call)
    enqueued = time.perf_counter()
    claimed = [_claim(candidate, one.to_a_call) for _ in range(calls)]
    ended = time.perf_counter()
    one.tasks += tasks
    one.seconds["enqueue"] += enqueued - began
    if None in claimed:
        return
    if (given := sum(filter(None, claimed))) != tasks:
        raise RuntimeError(f"{tasks} tasks were to be claimed, {one.to_a_call} to a call, but {given} were")
    one.seconds["claim"] += ended - enqueued


def _enqueue(candidate: Batching, count: int) -> None:
    if count == 1:
        candidate.enqueue()
    else:
        candidate.enqueue_many(count)


def _claim(candidate: Batching, count: int) -> int | None:
    return int(candidate.claim() is not None) if count == 1 else candidate.claim_many(count)
