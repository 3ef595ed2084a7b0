"""Four workers at once: how much they finish, and whether one of them is starved. Recorded calls in, verdicts out.

**Throughput.** What is finished in a time is compared with a Poisson number of the target's mean, whose tails are
wider than those of a queue at its limit. FAIL says that so few had come with a probability below ``FALSE_ALARM`` from a
queue that keeps the target, PASS that so many had come with one below ``FALSE_PASS`` from a queue that does not. A FAIL
counts the time in which workers were at work, a PASS that until the last of them had ended, so that the ragged end of a
block speaks for nobody. And a FAIL counts only the blocks next to which the reference finished ``ROOM`` times the
target with the same processes: on a machine that cannot do that, it is not the queue that is slow.

**Fairness.** That one worker got little is no proof against the queue: the operating system may have given its process
no time. So an uneven window is only a suspicion, and a trial decides: blocks of the queue under test and of the
reference, in pairs whose order is drawn at random. A worker is starved in a block if it got less than a quarter of its
share although it spent half of the block inside calls, the time not counted for which it was ready and had no
processor. Whatever the operating system does, it is as likely to do it in the one block of a pair as in the other; so a
queue that is no less fair than the reference is the one that
starves a worker in at most half of the pairs in which only one of the two does, and the sign test of ``exceedance``
gives the error.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from math import exp, log
from typing import TYPE_CHECKING

from pytest_taskq.contract import Verdict
from pytest_taskq.history import SECOND, Kind
from pytest_taskq.latency.exceedance import FALSE_ALARM, FALSE_PASS, Exceedance

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_taskq.history import Operation

TARGET = 400.0  # tasks a minute
ROOM = 4.0  # times the target that the reference reaches on a machine which is fast enough to judge by
WINDOW = 2_000  # claims in which shares are compared
LEAST_SHARE = 0.25  # of what is fair
_HELD_UP = 0.5  # of a block
_EVEN = 0.5
_MINUTE = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One worker's part of a block: from its first call to its last return, what it got, how long calls kept it.

    ``held_up`` is the time inside calls without that for which the process was ready and had no processor; nanoseconds.
    """

    began: int
    ended: int
    claimed: int
    finished: int
    held_up: int


@dataclass(frozen=True, slots=True)
class Block:
    """What the workers did in one block; ``claims`` are those of the window in which all were ready, by worker."""

    turns: tuple[Turn, ...]
    claims: tuple[int, ...]
    window: float

    @property
    def finished(self) -> int:
        """The tasks that were finished."""
        return sum(one.finished for one in self.turns)

    @property
    def seconds(self) -> float:
        """The time from the first call to the last return."""
        return (max(one.ended for one in self.turns) - min(one.began for one in self.turns)) / SECOND

    @property
    def at_work(self) -> float:
        """The time in which workers were at work, averaged over them."""
        return sum(one.ended - one.began for one in self.turns) / len(self.turns) / SECOND

    @property
    def per_minute(self) -> float:
        """The tasks finished a minute."""
        return _MINUTE * self.finished / max(self.seconds, 1e-9)

    @property
    def is_starved(self) -> bool:
        """Whether a worker got too little although it asked for most of the time and had a processor."""
        worst = min(range(len(self.claims)), key=lambda number: self.claims[number])
        held_up = self.turns[worst].held_up / SECOND
        return least_share(self.claims) < LEAST_SHARE and held_up >= _HELD_UP * self.window


def block_of(operations: Iterable[Operation], delayed: Mapping[str, int], end: int) -> Block:
    """Return the block that the operations of all workers make; ``end`` is when the workers were told to stop.

    ``delayed`` names every worker, with the nanoseconds for which it was ready and had no processor. The window in
    which all were ready is from the latest first call to ``end``, or to the first claim that found nothing.
    """
    by_worker: dict[str, list[Operation]] = defaultdict(list)
    for one in operations:
        by_worker[one.actor].append(one)
    calls = [by_worker[name] for name in sorted(delayed)]
    begin = max((mine[0].call for mine in calls if mine), default=end)
    empty = (one.call for mine in calls for one in mine if _is_claim(one) and one.task is None and one.known)
    until = max(begin, min(end, *empty, end))
    turns = [_turn(by_worker[name], late, end) for name, late in sorted(delayed.items())]
    return Block(
        turns=tuple(turns),
        claims=tuple(sum(_is_hit(one) and begin <= one.end <= until for one in mine) for mine in calls),
        window=(until - begin) / SECOND,
    )


def _turn(mine: Sequence[Operation], late: int, end: int) -> Turn:
    """Return what one worker did; what it raised took time as well."""
    ends = [one.call if one.returned is None else one.returned for one in mine]
    inside = sum(until - one.call for one, until in zip(mine, ends, strict=True))
    return Turn(
        began=mine[0].call if mine else end,
        ended=max(ends, default=end),
        claimed=sum(map(_is_hit, mine)),
        finished=sum(one.kind is Kind.COMPLETE and one.accepted for one in mine),
        held_up=max(0, inside - late),
    )


def _is_claim(one: Operation) -> bool:
    return one.kind is Kind.CLAIM


def _is_hit(one: Operation) -> bool:
    return _is_claim(one) and one.known and one.task is not None


def shares(claims: Sequence[int]) -> list[float]:
    """Return what each worker got of all claims."""
    total = sum(claims)
    return [one / total if total else 0.0 for one in claims]


def least_share(claims: Sequence[int]) -> float:
    """Return what the worst off got of its fair share: 1 if all got the same, 0 if one got nothing, or all did."""
    return min(shares(claims)) * len(claims)


@dataclass(frozen=True, slots=True)
class Throughput:
    """Blocks of the queue under test, each with the block of the reference next to it; judged ``looks`` times."""

    pairs: tuple[tuple[Block, Block], ...]
    target: float = TARGET
    looks: int = 1

    @property
    def finished(self) -> int:
        """The tasks that the queue under test finished."""
        return sum(one.finished for one, _ in self.pairs)

    @property
    def seconds(self) -> float:
        """The time that it had."""
        return sum(one.seconds for one, _ in self.pairs)

    @property
    def per_minute(self) -> float:
        """The tasks that it finished a minute."""
        return _MINUTE * self.finished / max(self.seconds, 1e-9)

    @property
    def reference_per_minute(self) -> float:
        """The same of the reference."""
        other = [two for _, two in self.pairs]
        return _MINUTE * sum(two.finished for two in other) / max(sum(two.seconds for two in other), 1e-9)

    @property
    def claims(self) -> list[int]:
        """The claims of each worker while all were ready."""
        return [sum(each) for each in zip(*(one.claims for one, _ in self.pairs), strict=True)]

    @property
    def judged(self) -> tuple[Block, ...]:
        """The blocks next to which the reference showed that the machine is fast enough."""
        return tuple(one for one, other in self.pairs if other.per_minute >= ROOM * self.target)

    @property
    def verdict(self) -> Verdict:
        """FAIL, PASS, or INCONCLUSIVE: too near to the target for the time, or no fast machine beside it."""
        slow = self.judged
        wanted = self.target / _MINUTE
        if (
            tail(sum(one.finished for one in slow), wanted * sum(one.at_work for one in slow))
            < FALSE_ALARM / self.looks
        ):
            return Verdict.FAIL
        expected = wanted * self.seconds
        if self.finished > expected and tail(self.finished, expected, above=True) < FALSE_PASS / self.looks:
            return Verdict.PASS
        return Verdict.INCONCLUSIVE


def tail(seen: int, mean: float, *, above: bool = False) -> float:
    """Return a bound on the probability of ``seen`` or fewer (``above``: or more) where ``mean`` are expected.

    Chernoff's, for a Poisson number: exp(-mean * h(seen / mean)) with h(x) = 1 - x + x log x; 1 on the other side.
    """
    if mean <= 0 or (seen <= mean) is above:
        return 1.0
    x = seen / mean
    return exp(-mean * (1 - x + (x * log(x) if x else 0.0)))


@dataclass(frozen=True, slots=True)
class Trial:
    """Pairs of blocks, the queue under test and the reference, in an order drawn at random; judged ``looks`` times."""

    pairs: tuple[tuple[Block, Block], ...]
    looks: int = 1

    @property
    def starved(self) -> int:
        """The pairs in which the queue under test starved a worker and the reference did not."""
        return sum(one.is_starved and not other.is_starved for one, other in self.pairs)

    @property
    def unlike(self) -> int:
        """The pairs in which one of the two starved a worker and the other did not."""
        return sum(one.is_starved is not other.is_starved for one, other in self.pairs)

    @property
    def verdict(self) -> Verdict:
        """FAIL if so many of the unlike pairs had come with a probability below FALSE_ALARM from a fair queue."""
        seen = Exceedance(samples=self.unlike, exceeded=self.starved, share=_EVEN, looks=self.looks)
        return Verdict.FAIL if seen.verdict is Verdict.FAIL else Verdict.INCONCLUSIVE
