"""Linearizability by trying every order: slow, short and obviously right; the checkers are held against it."""

from __future__ import annotations

import random
from dataclasses import dataclass

from pytest_taskq.history import Kind, Operation


@dataclass(frozen=True)
class Rules:
    """Which task of a queue, oldest first, is next: its index."""

    name: str

    def next_of(self, queue: tuple[Operation, ...]) -> int:
        if self.name == "fifo":
            return 0
        if self.name == "lifo":
            return len(queue) - 1
        if self.name == "priority":
            return min(range(len(queue)), key=lambda number: (queue[number].priority, number))
        return min(range(len(queue)), key=lambda number: queue[number].row)


def is_linearizable(operations: list[Operation], rules: Rules) -> bool:
    """Whether some order of the operations keeps their real time and the rules. Unknown ones may be left out."""
    everyone = range(len(operations))
    must = sum(1 << n for n in everyone if operations[n].known or _happened(operations[n]))
    seen: set[tuple[int, tuple[int, ...]]] = set()

    def search(done: int, queue: tuple[Operation, ...]) -> bool:
        if done & must == must:
            return True
        state = (done, tuple(map(id, queue)))
        if state in seen:
            return False
        seen.add(state)
        rest = [n for n in everyone if not done >> n & 1]
        first_end = min(operations[n].end for n in rest)
        return any(
            search(done | 1 << n, after)
            for n in rest
            if operations[n].call <= first_end
            for after in _after(operations[n], queue, rules)
        )

    return search(0, ())


def _happened(one: Operation) -> bool:
    """Whether a call that never returned is known to have taken effect: a claim of which we know the task."""
    return one.kind is Kind.CLAIM and one.task is not None


def _after(one: Operation, queue: tuple[Operation, ...], rules: Rules) -> list[tuple[Operation, ...]]:
    """Return the queue after the operation, as a list of at most one: none if it cannot happen now."""
    if one.kind is Kind.ENQUEUE:
        return [(*queue, one)]
    if one.kind is Kind.CANCEL:
        rest = tuple(each for each in queue if each.task != one.task)
        return [rest] if len(rest) < len(queue) else []
    if one.task is None and one.known:
        return [] if queue else [queue]
    if not queue:
        return []
    number = rules.next_of(queue)
    if one.task is not None and queue[number].task != one.task:
        return []
    return [(*queue[:number], *queue[number + 1 :])]


@dataclass(frozen=True)
class Shape:
    """What random histories are made of; the shares are probabilities."""

    tasks: int = 4
    empties: int = 2
    claimed: float = 0.85
    cancelled: float = 0.0
    dead_enqueues: float = 0.0
    dead_claims: int = 0
    named_dead_claims: float = 0.0
    grid: int = 1


def random_history(chance: random.Random, shape: Shape) -> list[Operation]:
    """Return a small history whose calls lie near a plausible order, so that many are legal and many are not.

    ``grid`` rounds the stamps, so that many are equal.
    """
    count = chance.randint(1, shape.tasks)
    length = 40 * (count + 2)
    span = chance.choice((15, 40, 90))
    rows = chance.sample(range(count), count)
    operations: list[Operation] = []

    def at(begin: float) -> tuple[int, int]:
        call = int(begin) // shape.grid * shape.grid
        return call, call + (1 + int(chance.random() * span)) // shape.grid * shape.grid

    for task in range(count):
        begin = chance.random() * length * 0.6
        call, end = at(begin)
        dead = chance.random() < shape.dead_enqueues
        operations.append(
            Operation(
                kind=Kind.ENQUEUE,
                call=call,
                returned=None if dead else end,
                task=task,
                row=rows[task],
                priority=chance.randint(0, 2),
            )
        )
        if chance.random() < shape.claimed:
            call, end = at(begin + chance.random() * length * 0.5)
            kind = Kind.CANCEL if chance.random() < shape.cancelled else Kind.CLAIM
            died = kind is Kind.CLAIM and chance.random() < shape.named_dead_claims
            # A dead claim whose task is known did happen; that is how it is told from one that may not have.
            result = True if kind is Kind.CANCEL else None
            operations.append(Operation(kind=kind, call=call, returned=None if died else end, task=task, result=result))
    for _ in range(chance.randint(0, shape.empties)):
        call, end = at(chance.random() * length)
        operations.append(Operation(kind=Kind.CLAIM, call=call, returned=end))
    for _ in range(chance.randint(0, shape.dead_claims)):
        call, _ = at(chance.random() * length)
        operations.append(Operation(kind=Kind.CLAIM, call=call))
    return operations
