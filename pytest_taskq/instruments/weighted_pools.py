"""Pools of tasks that change while they are drawn from by weight, each in a way that has gone wrong somewhere."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, log
from typing import TYPE_CHECKING, Any

from pytest_taskq.checkers.weights import Claimable
from pytest_taskq.contract import SchedulingStrategy
from pytest_taskq.subject.violation import ContractViolation, NotJudgedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_taskq.contract import Task, TaskId
    from pytest_taskq.subject import QueueUnderTest, Subject

MARKS = ("where it came from", "claims waited", "both", "place among equals", "place among all")

_ATTEMPTS = 60  # a task that had so many is replaced, before its last attempt matters; more than a starved crowd needs
_LEASE = 60.0
_DELAY = 100.0
_STEP = 2.0  # between neighbouring weights, where the promised function has such
_SHORTEST, _LONGEST = 0, 100  # priorities that are tried
_FARTHEST = 101.0  # times as heavy as the lightest, at most: who has one share of 102 is starved after 2,245 claims


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim: what was claimable, and which of it was served."""

    pool: tuple[Claimable, ...]
    tasks: tuple[TaskId, ...]
    served: int


@dataclass(eq=False, slots=True)
class _Entry:
    task: TaskId
    priority: int
    weight: float
    special: bool
    once: bool
    origin: str = "fresh"
    waited: int = 0
    attempts: int = 0
    ready: bool = True


class Pool:
    """The tasks of one queue as they should be, in the order of submission."""

    def __init__(self, queue: QueueUnderTest) -> None:
        self._queue = queue
        self._entries: list[_Entry] = []
        self._held: dict[TaskId, tuple[_Entry, Task]] = {}
        self._slack = 2 * queue.promises.time_precision + 1
        self.weights = weight_function(queue.subject)
        self.four = four_priorities(self.weights)

    def put(self, priority: int, *, delay: float = 0.0, special: bool = False) -> None:
        """Submit a task; one that is special needs a worker with a capability. One with a delay is not replaced."""
        options: dict[str, Any] = {"priority": priority}
        if delay:
            options["delay_seconds"] = delay
        if special:
            options["compatibility"] = {"special": True}
        if self._queue.subject.offers("enqueue.max_attempts"):
            options["max_attempts"] = 2 * _ATTEMPTS
        task = self._queue.enqueue(**options)
        origin = "due after a delay" if delay else "fresh"
        ready, once = not delay, bool(delay)
        entry = _Entry(task, priority, self.weights(priority), special, once=once, origin=origin, ready=ready)
        self._entries.append(entry)

    def settle(self) -> None:
        """Forget where those came from that have been in a race since."""
        for one in self._entries:
            if one.waited:
                one.origin = "fresh"

    def claim(self, *, special: bool = True) -> Claim:
        """Claim by weight, as a worker that is able to do special tasks or not; what was served is held."""
        pool = [one for one in self._entries if one.ready and (special or not one.special)]
        able = {"special": True} if special else {}
        task = self._queue.claim_by(SchedulingStrategy.WEIGHTED_RANDOM, "w1", able, _LEASE)
        served = next((place for place, one in enumerate(pool) if task is not None and one.task == task.id), None)
        if task is None or served is None:
            raise ContractViolation(
                f"one of {len(pool)} claimable tasks is served ({', '.join(str(one.task) for one in pool[:20])})",
                "None" if task is None else f"task {task.id!r}, which is not claimable",
                calls=self._queue.transcript.lines[-12:],
                method="claim_by",
            )
        claim = Claim(_as_claimable(pool), tuple(one.task for one in pool), served)
        self._note(pool, pool[served], task)
        return claim

    def _note(self, pool: Sequence[_Entry], served: _Entry, task: Task) -> None:
        for one in pool:
            one.waited += 1
        for one in self._entries:
            if one.ready and one not in pool:
                one.origin = "skipped"
        served.ready, served.waited = False, 0
        served.attempts += 1
        self._held[served.task] = (served, task)

    def renew(self) -> None:
        """Finish what is held, and submit a fresh task for each that is to be replaced."""
        for entry, task in self._held.values():
            self._finish(entry, task)
            if not entry.once:
                self.put(entry.priority, special=entry.special)
        self._held.clear()

    def _finish(self, entry: _Entry, task: Task) -> None:
        self._entries.remove(entry)
        if self._queue.subject.offers("complete_task"):
            self._queue.precondition(self._queue.complete_task(task), f"the end of task {task.id!r}, which w1 holds,")

    def put_back(self) -> None:
        """Let what is held fail and be retried; the last of several is left until its lease is over."""
        left = len(self._held) > 1 and leases_come_back(self._queue.subject)
        for number, (entry, task) in enumerate(list(self._held.values()), 1):
            if entry.attempts >= self._most_attempts:
                self._finish(entry, task)
                self.put(entry.priority, special=entry.special)
            elif left and number == len(self._held):
                self._come_back(entry, "back after a lease")
            else:
                self._queue.precondition(
                    self._queue.fail_task(task), f"the failure of task {task.id!r}, which w1 holds,"
                )
                self._come_back(entry, "retried")
        self._held.clear()
        backoff = self._queue.promises.backoff.longest(self._most_attempts)
        self.pass_time(max(backoff, _LEASE if left else 0.0))
        if left:
            self._queue.reclaim_expired()

    @property
    def _most_attempts(self) -> int:
        return _ATTEMPTS if self._queue.subject.offers("enqueue.max_attempts") else 4

    def _come_back(self, entry: _Entry, origin: str) -> None:
        entry.origin, entry.waited, entry.ready = origin, 0, True

    def pass_time(self, seconds: float = _DELAY) -> None:
        """Let time pass until what is delayed is due."""
        self._queue.advance(seconds + self._slack)
        for one in self._entries:
            one.ready = True


def _as_claimable(pool: Sequence[_Entry]) -> tuple[Claimable, ...]:
    equals: dict[float, int] = {}
    for one in pool:
        equals[one.weight] = equals.get(one.weight, 0) + 1
    before = dict.fromkeys(equals, 0)
    found = []
    for number, one in enumerate(pool):
        place = 4 * before[one.weight] // equals[one.weight]
        before[one.weight] += 1
        waited = min(one.waited, 4).bit_length()
        found.append(Claimable(one.weight, (one.origin, waited, (one.origin, waited), place, 4 * number // len(pool))))
    return tuple(found)


# --- weights ----------------------------------------------------------------------------------------------------------


def weight_function(subject: Subject) -> Callable[[int], float]:
    """Return the promised weights. What is no weight raises NotJudgedError when it comes up."""

    def weight(priority: int) -> float:
        found: object = subject.promises.weight(priority)  # a team's code, which may return anything
        if not (isinstance(found, int | float) and isfinite(found) and found > 0):
            raise NotJudgedError(f"Promises.weight({priority}) is {found!r}, and a weight is a finite number above 0")
        return float(found)

    return weight


def four_priorities(weight: Callable[[int], float]) -> tuple[int, int, int, int]:
    """Return priorities whose weights are nearest to 1:2:4:8, the lightest first; 7, 3, 1, 0 unless promised otherwise.

    Where the weights do not lie that far apart, as far as they do; where they lie so far apart that the lightest would
    hardly ever be served, some are the same.
    """
    known = {priority: log(weight(priority)) for priority in _worth_trying(weight)}
    highest = max(known.values())
    step = min(log(_STEP), (highest - min(known.values())) / 3)
    chosen: list[int] = []
    for place in range(4):
        free = [one for one in known if one not in chosen] or list(known)
        chosen.append(min(free, key=lambda one: (abs(known[one] - highest + place * step), one)))
    heaviest, second, third, lightest = chosen
    return lightest, third, second, heaviest


def farthest_priorities(weight: Callable[[int], float]) -> tuple[int, int]:
    """Return the priorities of the lightest and of the heaviest task among those from 0 to 100.

    The lightest that can be waited for: see `_FARTHEST`.
    """
    tried = _worth_trying(weight)
    return min(tried, key=weight), max(tried, key=weight)


def _worth_trying(weight: Callable[[int], float]) -> list[int]:
    known = {priority: weight(priority) for priority in range(_SHORTEST, _LONGEST + 1)}
    least = max(known.values()) / _FARTHEST * (1 - 1e-9)  # a quotient of floats
    return [priority for priority, one in known.items() if one >= least]


# --- situations -------------------------------------------------------------------------------------------------------

CROWD = 100
_AWAY = 3  # tasks that are not due, or not for this worker
_MEANWHILE = 5  # claims while they are away: a key drawn before them lies behind by then


def fresh(pool: Pool) -> Iterator[Claim]:
    """What is served is finished, and another task of its weight comes in: newcomers meet those that wait."""
    for priority in pool.four:
        pool.put(priority)
    while True:
        yield pool.claim()
        pool.renew()


def retried(pool: Pool) -> Iterator[Claim]:
    """Three of six are served from a pool that shrinks, fail or lose their lease, and come back."""
    lightest, third, _, heaviest = pool.four
    for priority in (lightest, third, heaviest) * 2:
        pool.put(priority)
    while True:
        for _ in range(3):
            yield pool.claim()
        pool.put_back()


def delayed(pool: Pool) -> Iterator[Claim]:
    """Tasks wait for their time beside others that are served, and then race them."""
    _, _, second, heaviest = pool.four
    for priority in (heaviest, heaviest, second):
        pool.put(priority)
    while True:
        pool.settle()
        for _ in range(_AWAY):
            pool.put(heaviest, delay=_DELAY)
        for number in range(_MEANWHILE + _AWAY):
            if number == _MEANWHILE:
                pool.pass_time()
            yield pool.claim()
            pool.renew()


def skipped(pool: Pool) -> Iterator[Claim]:
    """A worker that can do half of the tasks passes over the others; then one comes that can do all."""
    _, third, second, heaviest = pool.four
    for priority in (heaviest, heaviest, second):
        pool.put(priority)
    for priority in (heaviest, heaviest, heaviest, second, third):
        pool.put(priority, special=True)
    while True:
        for number in range(_MEANWHILE + _AWAY):
            yield pool.claim(special=number >= _MEANWHILE)
            pool.renew()


def crowd(pool: Pool) -> Iterator[Claim]:
    """A hundred tasks of equal weight are served and come back: none may be out of sight."""
    for _ in range(CROWD):
        pool.put(pool.four[0])
    while True:
        for _ in range(5):
            yield pool.claim()
        pool.put_back()


def far_apart(pool: Pool) -> Iterator[Claim]:
    """One of the heaviest tasks, replaced when it is served, beside one of the lightest."""
    for priority in farthest_priorities(pool.weights):
        pool.put(priority)
    while True:
        yield pool.claim()
        pool.renew()


def leases_come_back(subject: Subject) -> bool:
    """Whether a task whose lease is over can be had back."""
    return subject.promises.lease_over == "requeue" and subject.offers("leases") and subject.offers("reclaim_expired")


_NEEDS: dict[Callable[[Pool], Iterator[Claim]], tuple[str, ...]] = {
    retried: ("fail_task", "complete_task"),
    delayed: ("enqueue.delay_seconds", "complete_task"),
    skipped: ("enqueue.compatibility", "capabilities", "claim_by.capabilities"),
    crowd: ("fail_task", "complete_task"),
}


def why_without(subject: Subject, situation: Callable[[Pool], Iterator[Claim]]) -> str | None:
    """Return why a situation cannot be brought about on this queue, None if it can."""
    return next((why for name in _NEEDS.get(situation, ()) if (why := subject.why_not(name))), None)
