"""Is there a moment in a claim at which nothing better was certainly in the queue? The heart of the order checkers.

A stay makes its task certainly present in the open interval (er, cc). A claim over [cc, cr] is legal iff some moment of
it lies in no such interval of a better task. Each claim is looked at for itself, so there is nothing to search: with
distinct tasks this decides linearizability for strict keys (argument: docs/checkers.md). O(n log n).
"""

from __future__ import annotations

from bisect import bisect_left
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_taskq.checkers.stays import Stay

# Anything that compares; smaller is better.
Key = Any
Interval = tuple[int, int, Key]

# The order of events at one moment. Equal stamps are taken as concurrent: whatever excuses a claim comes first.
_ABSENT, _CLAIM_BEGINS, _PRESENT, _CLAIM_ENDS = range(4)


def first_free(present: Sequence[Interval], claims: Sequence[Interval]) -> list[int | None]:
    """Return for each claim ``(begin, end, key)`` its first moment without a better key present, None without one.

    ``present`` holds open intervals ``(begin, end, key)``; better is a smaller key. Both ends of a claim belong to it.
    """
    best: list[
        tuple[Key, int]
    ] = []  # present keys, the best on top; those of ended intervals are dropped when they surface
    ended = bytearray(len(present))
    waiting: list[tuple[Key, int]] = []  # running claims without a free moment, the hardest to block on top
    free: list[int | None] = [None] * len(claims)
    over = bytearray(len(claims))
    for moment, event, number in _events(present, claims):
        if event == _CLAIM_ENDS:
            over[number] = 1
            continue
        if event == _PRESENT:
            heappush(best, (present[number][2], number))
        elif event == _ABSENT:
            ended[number] = 1
        else:
            heappush(waiting, (claims[number][2], number))
        while best and ended[best[0][1]]:
            heappop(best)
        while waiting and (over[waiting[0][1]] or not best or waiting[0][0] <= best[0][0]):
            claim = heappop(waiting)[1]
            if not over[claim]:
                free[claim] = moment
    return free


def _events(present: Sequence[Interval], claims: Sequence[Interval]) -> list[tuple[int, int, int]]:
    events: list[tuple[int, int, int]] = []
    for number, (begin, end, _) in enumerate(present):
        if begin < end:
            events.append((begin, _PRESENT, number))
            events.append((end, _ABSENT, number))
    for number, (begin, end, _) in enumerate(claims):
        events.append((begin, _CLAIM_BEGINS, number))
        events.append((end, _CLAIM_ENDS, number))
    events.sort()
    return events


def last_free(present: Sequence[Interval], claims: Sequence[Interval]) -> list[int | None]:
    """Return for each claim its last moment without a better key present, None without one: time run backwards."""
    backwards = first_free([(-b, -a, key) for a, b, key in present], [(-b, -a, key) for a, b, key in claims])
    return [None if moment is None else -moment for moment in backwards]


def covered_by(begin: int, end: int, stays: Iterable[Stay]) -> list[Stay]:
    """Return few of ``stays`` that together cover every moment from ``begin`` to ``end``; [] if some moment is free.

    Greedy: of those present at a moment take the one that stays longest, so the fewest possible.
    """
    ahead = sorted(
        (one for one in stays if one.er < one.cc and one.er < end and one.cc > begin), key=lambda one: one.er
    )
    chosen: list[Stay] = []
    moment, number = begin, 0
    while not chosen or moment <= end:
        longest: Stay | None = None
        while number < len(ahead) and ahead[number].er < moment:
            if longest is None or ahead[number].cc > longest.cc:
                longest = ahead[number]
            number += 1
        if longest is None or longest.cc <= moment:
            return []
        chosen.append(longest)
        moment = longest.cc  # the interval is open: at this moment it may be gone
    return chosen


class Busy:
    """The moments at which the queue was certainly not empty, as disjoint open intervals."""

    def __init__(self, stays: Iterable[Stay]) -> None:
        self._begins: list[int] = []
        self._ends: list[int] = []
        last = None
        for begin, end in sorted((one.er, one.cc) for one in stays if one.er < one.cc):
            if last is not None and begin < last:  # intervals that only touch leave the moment between them free
                last = self._ends[-1] = max(last, end)
            else:
                self._begins.append(begin)
                self._ends.append(end)
                last = end

    def throughout(self, begin: int, end: int) -> bool:
        """Whether the queue was not empty at any moment from ``begin`` to ``end``."""
        number = bisect_left(self._begins, begin) - 1
        return number >= 0 and end < self._ends[number]
