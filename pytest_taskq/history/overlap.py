"""How much a history really overlapped: one in which nobody met anybody proves nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_taskq.history.operation import NEVER, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_taskq.history.operation import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Counts: operations, those that overlap one of another actor, claims, and claims that overlap another's claim."""

    operations: int
    overlapping: int
    claims: int
    contended: int
    empty: int

    def __str__(self) -> str:
        return (
            f"{self.operations} operations, {self.overlapping} of them at the same time as another actor's; "
            f"{self.claims} claims, {self.contended} contended, {self.empty} empty"
        )


def overlap_of(operations: Iterable[Operation]) -> Overlap:
    """Count what met what. O(n log n)."""
    everything = list(operations)
    claims = [one for one in everything if one.kind is Kind.CLAIM]
    return Overlap(
        operations=len(everything),
        overlapping=met(everything),
        claims=len(claims),
        contended=met(claims),
        empty=sum(1 for one in claims if one.task is None and one.known),
    )


def met(operations: Sequence[Operation]) -> int:
    """Return how many of the operations overlap one of another actor; a crashed one lasts for ever."""
    by_call = sorted(operations, key=lambda one: one.call)
    seen = [False] * len(by_call)
    _mark_running(by_call, seen)
    _mark_followed(by_call, seen)
    return sum(seen)


def _mark_running(by_call: Sequence[Operation], seen: list[bool]) -> None:
    """Mark those that begin while one of another actor is running."""
    last: tuple[int, str] = (-NEVER, "")  # the latest return so far, and the latest of any other actor
    other = -NEVER
    for number, one in enumerate(by_call):
        if (other if one.actor == last[1] else last[0]) >= one.call:
            seen[number] = True
        end = NEVER if one.returned is None else one.returned
        if one.actor == last[1]:
            last = (max(last[0], end), one.actor)
        elif end > last[0]:
            last, other = (end, one.actor), last[0]
        else:
            other = max(other, end)


def _mark_followed(by_call: Sequence[Operation], seen: list[bool]) -> None:
    """Mark those that another actor's operation begins before their end."""
    following: tuple[int, str] = (NEVER, "")  # the next call, and the next call of any other actor
    other = NEVER
    for number in range(len(by_call) - 1, -1, -1):
        one = by_call[number]
        upcoming = other if one.actor == following[1] else following[0]
        if upcoming < NEVER and (one.returned is None or upcoming <= one.returned):
            seen[number] = True
        if one.actor != following[1]:
            other = following[0]
        following = (one.call, one.actor)
