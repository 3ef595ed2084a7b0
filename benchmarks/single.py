"""One process: how long each call takes, with the candidates taking turns in blocks.

A block is some enqueues, as many claims, as many completions, then whole cycles, of one candidate; then the next
candidate has its block, in another order each round. So a minute in which the machine was slow is in the samples of all
of them, and a ratio compares samples of the same minute.
"""

from __future__ import annotations

import gc
import random
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .queues.candidate import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .places import Places
    from .queues.candidate import Candidate

OPERATIONS = ("enqueue", "claim", "complete", "cycle")


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: tasks that wait all the time, rounds, calls per block."""

    depth: int
    rounds: int
    block: int


@dataclass(slots=True)
class Samples:
    """The seconds of every call of one candidate."""

    name: str
    records_completion: bool
    synchronous: str
    seconds: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in OPERATIONS})


def measure(specs: Iterable[str], synchronous: str, size: Size, places: Places) -> list[Samples]:
    """Return the samples of every candidate, in the order of ``specs``."""
    with ExitStack() as stack:
        candidates = []
        for number, spec in enumerate(specs):
            place = stack.enter_context(places.fresh(f"single-{number}", synchronous))
            candidates.append(load(spec)(place, synchronous))
            stack.callback(candidates[-1].close)
            _times([candidates[-1].enqueue] * size.depth)
            places.settle(place)
        return _in_turns(candidates, size)


def _in_turns(candidates: Sequence[Candidate], size: Size) -> list[Samples]:
    samples = [Samples(one.name, one.records_completion, one.in_force()) for one in candidates]
    turns = list(zip(candidates, samples, strict=True))
    for _ in range(size.rounds):
        random.shuffle(turns)
        for candidate, one in turns:
            block_of(candidate, size.block, one.seconds)
    return samples


def block_of(candidate: Candidate, calls: int, seconds: dict[str, list[float]]) -> None:
    """Add the seconds of one block to the samples."""
    gc.collect()
    seconds["enqueue"] += _times([candidate.enqueue] * calls)
    claimed: list[object] = []
    seconds["claim"] += _times([lambda: claimed.append(candidate.claim())] * calls)
    seconds["complete"] += _times([lambda task=task: candidate.complete(task) for task in claimed])
    seconds["cycle"] += _times([lambda: _cycle(candidate)] * calls)


def _cycle(candidate: Candidate) -> None:
    candidate.enqueue()
    candidate.complete(candidate.claim())


def _times(calls: Iterable[Callable[[], object]]) -> list[float]:
    seconds = []
    for call in calls:
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return seconds
