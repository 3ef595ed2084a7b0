"""How long the order checkers take on legal histories and on ones with one late violation.

    python benchmarks/checkers.py [repeats]

Histories: c clients, always busy but for a sixth of the time, exponential durations, each operation taking effect at
a uniform moment of its interval, half enqueues, about 8 tasks waiting. CPU seconds of the check alone, least and
median of the repeats, and on a history with one violation; resident memory is that of a process which made and judged
only the legal history.
"""

from __future__ import annotations

import argparse
import heapq
import multiprocessing
import random
import statistics
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_taskq.checkers import Judgement, Kind, Operation, check_by_key, check_fifo, check_lifo, check_priority

if TYPE_CHECKING:
    from collections.abc import Callable

DEPTH = 8


def intervals(chance: random.Random, count: int, clients: int) -> list[tuple[float, int, float, float]]:
    """Return ``count`` calls as (moment of effect, client, call, return), in the order of their effects."""
    free = [(chance.random(), client) for client in range(clients)]
    heapq.heapify(free)
    calls = []
    for _ in range(count):
        call, client = heapq.heappop(free)
        end = call + chance.expovariate(1) + 1e-3
        calls.append((call + (end - call) * chance.random(), client, call, end))
        heapq.heappush(free, (end + chance.expovariate(5) + 1e-3, client))
    return sorted(calls)


def history(count: int, clients: int, order: str, seed: int = 7) -> list[Operation]:
    """Return a legal history of a queue that serves in ``order``: fifo, lifo or priority (4 classes)."""
    chance = random.Random(seed)  # noqa: S311 - the same histories in every run
    waiting: list[tuple[int, int]] = []
    operations = []
    for number, (_, client, call, end) in enumerate(intervals(chance, count, clients)):
        stamps = {"actor": f"c{client}", "call": round(call * 1e6), "returned": round(end * 1e6)}
        if chance.random() < min(0.95, max(0.05, 1 - len(waiting) / (2 * DEPTH))):
            priority = chance.randrange(4) if order == "priority" else 0
            place = -number if order == "lifo" else number
            heapq.heappush(waiting, (priority, place))
            operations.append(Operation(kind=Kind.ENQUEUE, task=number, row=place, priority=priority, **stamps))
        else:
            task = abs(heapq.heappop(waiting)[1]) if waiting else None
            operations.append(Operation(kind=Kind.CLAIM, task=task, **stamps))
    return operations


def swapped(operations: list[Operation], nth: int) -> list[Operation]:
    """Return the history with the tasks of two claims exchanged, nine tenths from the beginning; ``nth`` choice."""
    claims = [number for number, one in enumerate(operations) if one.kind is Kind.CLAIM and one.task is not None]
    first = claims[len(claims) * 9 // 10 + nth]
    other = next(n for n in claims if operations[n].call > (operations[first].returned or 0))
    changed = list(operations)
    changed[first] = replace(operations[first], task=operations[other].task)
    changed[other] = replace(operations[other], task=operations[first].task)
    return changed


def seconds_of(check: Callable[[list[Operation]], Judgement], operations: list[Operation]) -> tuple[float, Judgement]:
    """Return the CPU seconds of one check, and what it said."""
    began = time.process_time()
    judgement = check(operations)
    return time.process_time() - began, judgement


CHECKS: dict[str, tuple[str, Callable[[list[Operation]], Judgement]]] = {
    "fifo": ("fifo", check_fifo),
    "lifo": ("lifo", check_lifo),
    "priority, ties fifo": ("priority", check_priority),
    "strict key": ("priority", lambda operations: check_by_key(operations, lambda one: (one.priority, one.row))),
}


def memory() -> float:
    """Return the most resident memory so far in MB."""
    if sys.platform == "win32":
        return float("nan")
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(name: str, count: int, clients: int, repeats: int) -> str:
    """Return one line of the table."""
    order, check = CHECKS[name]
    operations = history(count, clients, order)
    runs = [seconds_of(check, operations) for _ in range(repeats)]
    if not all(judgement.legal for _, judgement in runs):
        raise SystemExit(f"a legal history was failed: {runs[0][1]}")
    used = memory()
    broken = (seconds_of(check, swapped(operations, nth)) for nth in range(20))  # some exchanges are legal
    found = next(seconds for seconds, judgement in broken if not judgement.legal)
    seconds = [one for one, _ in runs]
    return (
        f"{name:<20} {count:>9,} {clients:>3} {min(seconds):>8.3f} {statistics.median(seconds):>8.3f} "
        f"{found:>9.3f} {used:>6.0f}"
    )


def main() -> None:
    """Print the table; every line is measured in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repeats", type=int, nargs="?", default=5)
    repeats = parser.parse_args().repeats
    spawn = multiprocessing.get_context("spawn")
    print(f"{'specification':<20} {'n':>9} {'c':>3} {'least s':>8} {'median s':>8} {'violation':>9} {'MB':>6}")
    for name in CHECKS:
        for count, clients in ((1_000, 4), (10_000, 4), (100_000, 4), (100_000, 16), (1_000_000, 8)):
            with spawn.Pool(1, maxtasksperchild=1) as pool:
                print(pool.apply(measure, (name, count, clients, repeats)), flush=True)


if __name__ == "__main__":
    main()
