"""Last in, first out by real time: the tasks can be nested like brackets."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_taskq.checkers.stays import Stay


def not_nested(stays: Iterable[Stay]) -> Sequence[Stay]:
    """Return tasks that cannot have been served last in, first out, [] if all can. For tasks handed out once.

    Tasks whose presence overlaps need one that may lie at the bottom: entered before any other certainly was there,
    left after all others left. It is taken away, and what remains is looked at again, split where nothing is certainly
    there. Whichever such task is taken, the answer is the same. O(n log n + n * depth of the stack).
    """
    # One without a moment at which it is certainly there can be pushed and popped at once, anywhere.
    open_groups = [sorted((one for one in stays if one.er < one.cc), key=lambda one: one.er)]
    while open_groups:
        for group in _apart(open_groups.pop()):
            first_there = group[0].er
            all_gone = max(one.cc for one in group)
            bottom = next((n for n, one in enumerate(group) if one.ec <= first_there and one.cr >= all_gone), None)
            if bottom is None:
                return _least(group)
            del group[bottom]
            open_groups.append(group)
    return []


def _apart(group: list[Stay]) -> Iterator[list[Stay]]:
    """Yield the parts, of two tasks or more, between which there is a moment with nothing certainly there."""
    part: list[Stay] = []
    until = 0
    for one in group:
        if part and one.er >= until:
            if len(part) > 1:
                yield part
            part = []
        until = max(until, one.cc) if part else one.cc
        part.append(one)
    if len(part) > 1:
        yield part


def _least(group: Sequence[Stay]) -> Sequence[Stay]:
    """Return a pair that cannot be nested by itself if there is one, else the whole group."""
    for number, one in enumerate(group):
        for other in group[number + 1 :]:
            if other.er >= one.cc:
                break  # sorted by er: neither this nor a later one overlaps
            if not any(a.ec <= b.er and a.cr >= b.cc for a, b in ((one, other), (other, one))):
                return (one, other)
    return group
