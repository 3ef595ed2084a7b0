"""A queue with leases as a machine, random runs of it, and a search whether some run explains a history."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

from pytest_taskq.history import Kind, Operation

LEASE = 12


@dataclass
class Machine:
    """Serves the lowest row that is queued or whose lease is over; a claim takes back what is over by itself."""

    waiting: dict[int, int] = field(default_factory=dict)  # task to row
    held: dict[int, tuple[str, int]] = field(default_factory=dict)  # task to holder and deadline
    rows: dict[int, int] = field(default_factory=dict)

    def state(self) -> tuple[object, ...]:
        return tuple(sorted(self.waiting.items())), tuple(sorted(self.held.items()))

    def copy(self) -> Machine:
        return Machine(dict(self.waiting), dict(self.held), self.rows)

    def first(self, now: int) -> int | None:
        over = [task for task, (_, deadline) in self.held.items() if deadline <= now]
        return min([*self.waiting, *over], key=lambda task: self.rows[task], default=None)

    def happens(self, one: Operation, now: int) -> bool:
        """Do what the operation did; False if it cannot have had its result now."""
        task = one.task
        if one.kind is Kind.ENQUEUE:
            self.waiting[task] = one.row
            return True
        if one.kind is Kind.CLAIM:
            if self.first(now) != task:
                return False
            if task is not None:
                self.waiting.pop(task, None)
                self.held[task] = (one.actor, now + one.lease)
            return True
        mine = self.held.get(task, ("", 0))[0] == one.actor
        if mine and one.kind is Kind.RENEW:
            self.held[task] = (one.actor, now + one.lease)
        elif mine:
            del self.held[task]
            if one.kind is Kind.FAIL:
                self.waiting[task] = self.rows[task]
        return mine is one.result


def random_run(chance: random.Random) -> list[Operation]:
    """Return a legal history: a run of the machine, each call's stamps some way around the moment it took effect."""
    machine, now, operations = Machine(), 0, []
    claimed: list[Operation] = []
    for number in range(chance.randint(4, 9)):
        now += chance.choice((1, 2, 3, 9))
        kinds = [Kind.ENQUEUE, Kind.CLAIM, Kind.CLAIM] if len(machine.rows) < 2 else [Kind.CLAIM]
        kind = chance.choice([*kinds, *([Kind.COMPLETE, Kind.FAIL, Kind.RENEW] if claimed else [])])
        stamps = {"call": now - chance.randint(0, 4), "returned": now + chance.randint(0, 4)}
        if kind is Kind.ENQUEUE:
            task = len(machine.rows)
            machine.rows[task] = task
            one = Operation(kind=kind, task=task, row=task, **stamps)
        elif kind is Kind.CLAIM:
            one = Operation(kind=kind, task=machine.first(now), actor=f"w{number}", lease=LEASE, **stamps)
        else:
            of = chance.choice(claimed)
            now = max(now, of.returned + 1)  # a holder calls after its claim has returned
            stamps = {"call": max(of.returned + 1, now - chance.randint(0, 4)), "returned": now + chance.randint(0, 4)}
            holds = machine.held.get(of.task, ("", 0))[0] == of.actor
            one = Operation(kind=kind, task=of.task, actor=of.actor, lease=LEASE, result=holds, **stamps)
        assert machine.happens(one, now)
        claimed += [one] if kind is Kind.CLAIM and one.task is not None else []
        operations.append(one)
    return operations


def disturbed(operations: list[Operation], chance: random.Random) -> list[Operation]:
    """Return the history with one thing changed, so that it may be illegal."""
    number = chance.randrange(len(operations))
    one = operations[number]
    if isinstance(one.result, bool):
        one = replace(one, result=not one.result)
    elif one.kind is Kind.CLAIM:
        others = [None, *(each.task for each in operations if each.kind is Kind.ENQUEUE)]
        one = replace(one, task=chance.choice(others))
    else:
        later = chance.randint(1, 8)
        one = replace(one, call=one.call + later, returned=one.returned + later)
    return [*operations[:number], one, *operations[number + 1 :]]


def is_explained(operations: list[Operation]) -> bool:
    """Whether moments within the calls exist at which the machine gives these results."""
    rows = {one.task: one.row for one in operations if one.kind is Kind.ENQUEUE}
    seen = set()

    def search(done: frozenset[int], now: int, machine: Machine) -> bool:
        if len(done) == len(operations):
            return True
        state = (done, now, machine.state())
        if state in seen:
            return False
        seen.add(state)
        rest = [number for number in range(len(operations)) if number not in done]
        if any(operations[number].returned < now for number in rest):
            return False
        for number in rest:
            one = operations[number]
            if one.call <= now:
                after = machine.copy()
                if after.happens(one, now) and search(done | {number}, now, after):
                    return True
        return search(done, now + 1, machine)

    return search(frozenset(), min(one.call for one in operations), Machine(rows=rows))
