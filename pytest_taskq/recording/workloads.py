"""What the processes do, each a function of one actor; what it returns goes to the judge."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from pytest_taskq.recording.mill import mill, watched
from pytest_taskq.recording.sharing import sharing

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_taskq.contract import Task
    from pytest_taskq.recording.actor import Actor

_MOST_DRAINED = 20_000


def traffic(actor: Actor) -> None:
    """Enqueue and claim by chance, near an empty queue, so that claims meet and come back with nothing."""
    chance, extra = actor.chance, actor.job["extra"]
    while not actor.time_is_up:
        if chance.random() < 0.45:  # noqa: PLR2004 - somewhat fewer than claims
            actor.enqueue(priority=chance.randrange(3))
            continue
        task = actor.claim()
        if task is not None:
            _finish(actor, task)
        if extra["reclaim"] and chance.random() < 0.1:  # noqa: PLR2004 - often enough to meet claims
            actor.reclaim()


def _finish(actor: Actor, task: Task) -> None:
    fate = actor.chance.random()
    if fate < 0.05:  # noqa: PLR2004 - a few stay leased
        return
    if fate < 0.1 and actor.job["extra"]["fail"]:  # noqa: PLR2004 - a few are given back
        actor.fail(task)
    elif actor.job["extra"]["complete"]:
        actor.complete(task)


def rush(actor: Actor) -> None:
    """Claim what is there, as fast as can be: every claim meets the others on the same task."""
    while not actor.time_is_up:
        task = actor.claim()
        if task is None:
            return
        if actor.job["extra"]["complete"]:
            actor.complete(task)


def stock(actor: Actor) -> None:
    """Enqueue ``extra["count"]`` tasks, by one process alone."""
    if actor.name == "w0":
        for _ in range(actor.job["extra"]["count"]):
            actor.enqueue(priority=actor.chance.randrange(3))


def drain(actor: Actor) -> int:
    """Claim and finish until nothing is left; return how many there were."""
    taken = misses = 0
    if actor.job["extra"].get("reclaim_first"):
        actor.reclaim()
    ways = [tuple(way) for way in actor.job["ways"]]
    while misses < len(ways) + 1 and taken < _MOST_DRAINED:
        task = actor.claim(way=ways[misses % len(ways)])
        if task is None:
            misses += 1
            continue
        taken, misses = taken + 1, 0
        if actor.job["extra"]["complete"]:
            actor.complete(task)
    return taken


def order(actor: Actor) -> None:
    """Two processes enqueue, the others claim under one strategy; a few tasks wait at any time."""
    producer = actor.name in ("w0", "w1")
    while not actor.time_is_up:
        if producer:
            actor.enqueue(priority=actor.chance.randrange(4))
        else:
            task = actor.claim()
            if task is not None and actor.job["extra"]["complete"]:
                actor.complete(task)
        time.sleep(actor.chance.random() * 0.002)  # so that neither side runs away from the other


def keys(actor: Actor) -> list[tuple[str, Any]]:
    """Enqueue under the same keys as the others, each key at the same moment; return the ids."""
    ids = []
    for number in range(actor.job["extra"]["count"]):
        moment = actor.start + number * actor.job["extra"]["apart"]
        while time.monotonic_ns() < moment:
            pass  # a sleep would spread the calls
        key = f"key-{actor.job['round']}-{number}"
        ids.append((key, actor.enqueue(key=key, token=f"{actor.name}/{key}")))
        if actor.time_is_up:
            break
    return ids


def counting(actor: Actor) -> None:
    """One process counts without end while the others enqueue, claim and complete."""
    while not actor.time_is_up:
        if actor.name == "w0":
            actor.stats()
        elif actor.chance.random() < 0.5:  # noqa: PLR2004 - as many in as out
            actor.enqueue()
        else:
            task = actor.claim()
            if task is not None and actor.job["extra"]["complete"]:
                actor.complete(task)


def cleaning(actor: Actor) -> int:
    """Two processes delete what is old while the others enqueue, claim and complete; return how many they deleted."""
    deleted = 0
    while not actor.time_is_up:
        if actor.name in ("w0", "w1"):
            deleted += actor.delete(actor.job["extra"]["older_than"]) or 0
            time.sleep(actor.chance.random() * 0.005)
        elif actor.chance.random() < 0.45:  # noqa: PLR2004 - some more out than in
            actor.enqueue()
        else:
            task = actor.claim()
            if task is not None:
                actor.complete(task)
    return deleted


def storing(actor: Actor) -> None:
    """Enqueue without end: somebody is going to die."""
    while not actor.time_is_up:
        actor.enqueue()


def leases(actor: Actor) -> None:
    """Claim for a short time; forget some tasks, renew some, complete the rest."""
    lease = actor.job["extra"]["lease"]
    renewed: list[tuple[int, Task]] = []
    while not actor.time_is_up:
        fate = actor.chance.random()
        if fate < 0.2:  # noqa: PLR2004 - a trickle of new ones
            actor.enqueue()
        task = actor.claim(lease)
        if task is not None:
            if fate < 0.4 and actor.job["extra"]["renew"]:  # noqa: PLR2004 - these are renewed half way
                renewed.append((time.monotonic_ns() + round(lease * 5e8), task))
            elif fate > 0.7 and actor.job["extra"]["complete"]:  # noqa: PLR2004 - the others are forgotten
                actor.complete(task)
        elif actor.job["extra"]["reclaim"]:
            actor.reclaim()
        while renewed and renewed[0][0] <= time.monotonic_ns():
            actor.renew(renewed.pop(0)[1], lease)
        time.sleep(actor.chance.random() * 0.01)


def opening(actor: Actor) -> None:
    """Open one fresh database after the other, each at the same moment as the others do."""
    adapter = actor.adapter
    for number, path in enumerate(actor.job["extra"]["dsns"]):
        moment = actor.start + number * actor.job["extra"]["apart"]
        while time.monotonic_ns() < moment:
            pass  # a sleep would spread the calls
        actor.adapter = type(adapter)(path)
        try:
            actor.opened(path)
        finally:
            actor.invoke(actor.adapter.close)
    actor.adapter = adapter


def probe(actor: Actor) -> bool:
    """Enqueue one task by w0 (``extra["put"]``), or claim one by w1; return whether it could be done."""
    if actor.name == "w0":
        return not actor.job["extra"]["put"] or actor.enqueue() is not None
    return actor.claim() is not None


WORKLOADS: dict[str, Callable[[Actor], Any]] = {
    one.__name__: one
    for one in (
        traffic,
        rush,
        stock,
        drain,
        order,
        keys,
        counting,
        cleaning,
        storing,
        leases,
        opening,
        sharing,
        mill,
        watched,
        probe,
    )
}
