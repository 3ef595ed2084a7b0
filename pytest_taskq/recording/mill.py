"""The work of a load run: tasks are claimed and finished as fast as can be, or with some work between."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pytest_taskq.recording.processor import waited_for_processor

if TYPE_CHECKING:
    from pytest_taskq.recording.actor import Actor

_IDLE = 0.002  # seconds; a queue that has nothing or refuses is not asked without a pause


def mill(actor: Actor) -> dict[str, int]:
    """Claim and complete until time is up, with ``extra["think"]`` seconds of work between on average.

    ``extra["enqueue"]``: enqueue a task for each that is taken. Return for how many nanoseconds the process was ready
    and had no processor, and when it was to stop.
    """
    think, enqueue = actor.job["extra"]["think"], actor.job["extra"]["enqueue"]
    late = waited_for_processor()
    while not actor.time_is_up:
        if enqueue:
            actor.enqueue()
        task = actor.claim()
        if task is None:
            time.sleep(_IDLE)
            continue
        if think:
            time.sleep(2 * think * actor.chance.random())
        actor.complete(task)
    return {"delayed": waited_for_processor() - late, "end": actor.end}


def watched(actor: Actor) -> list[float]:
    """One process counts without end what is in the store ``extra["read"]``, the other enqueues into that of the job.

    Return for how many seconds each enqueue waited for a processor.
    """
    waits: list[float] = []
    if actor.name == "w0":
        _count(actor)
        return waits
    while not actor.time_is_up:
        late = waited_for_processor()
        actor.enqueue()
        waits.append((waited_for_processor() - late) / 1e9)
    return waits


def _count(actor: Actor) -> None:
    writes_to = actor.adapter
    actor.adapter = type(writes_to)(actor.job["extra"]["read"])
    try:
        while not actor.time_is_up:
            actor.stats()
    finally:
        actor.invoke(actor.adapter.close)
        actor.adapter = writes_to
