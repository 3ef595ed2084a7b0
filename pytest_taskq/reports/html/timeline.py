"""Where the parts of a timeline stand: pure geometry, in the pixels of an SVG picture.

Both timelines share it: time runs to the right, each worker has a lane, leases are bars, and where two workers hold one
task at once a band runs through all lanes. No length is a length of time: a place is a place in the order of events, so
that nothing is too short to be seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

TOP = 26.0  # for what is written above the lanes
LEASE_ROW = 17.0
_LEASES_BELOW = 6.0


@dataclass(frozen=True, slots=True)
class Held:
    """A worker's lease of a task, from one x to another; ``open`` if it did not end in the picture."""

    lane: int
    task: str
    x: float
    end: float
    open: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A lease as it is drawn."""

    held: Held
    y: float

    @property
    def width(self) -> float:
        """Never too narrow to be seen."""
        return max(self.held.end - self.held.x, 3.0)


@dataclass(frozen=True, slots=True)
class Clash:
    """From where to where two workers hold the same task."""

    x: float
    end: float
    task: str

    @property
    def width(self) -> float:
        """Never too narrow to be seen."""
        return max(self.end - self.x, 3.0)


@dataclass(frozen=True, slots=True)
class Lane:
    """One worker's part of the picture."""

    name: str
    y: float
    height: float
    lease_rows: int


def clashes(leases: Sequence[Held]) -> list[Clash]:
    """Return where a task is held twice, each place once, from left to right."""
    found = set()
    for one, other in combinations(leases, 2):
        x, end = max(one.x, other.x), min(one.end, other.end)
        if one.task == other.task and x < end:
            found.add((x, end, one.task))
    return [Clash(*each) for each in sorted(found)]


def rows_of(leases: Sequence[Held]) -> list[int]:
    """Return for each lease the row in its lane: the first in which it covers none that is there."""
    taken: dict[tuple[int, int], float] = {}
    rows = dict.fromkeys(range(len(leases)), 0)
    for number, one in sorted(enumerate(leases), key=lambda each: each[1].x):
        row = 0
        while taken.get((one.lane, row), -1.0) > one.x:
            row += 1
        rows[number], taken[one.lane, row] = row, max(one.end, one.x + 3)
    return [*rows.values()]


def lanes_of(names: Iterable[str], body: float, leases: Sequence[Held], rows: Sequence[int]) -> list[Lane]:
    """Return the lanes from the top down; ``body`` is the height of one without leases."""
    found, y = [], TOP
    for number, name in enumerate(names):
        count = max((row + 1 for one, row in zip(leases, rows, strict=True) if one.lane == number), default=0)
        height = body + (count * LEASE_ROW + _LEASES_BELOW if count else 0)
        found.append(Lane(name, y, height, count))
        y += height
    return found


def bars_of(leases: Sequence[Held], rows: Sequence[int], lanes: Sequence[Lane], body: float) -> list[Bar]:
    """Return the leases below what happens in their lanes."""
    return [
        Bar(one, lanes[one.lane].y + body + row * LEASE_ROW)
        for one, row in zip(leases, rows, strict=True)
        if one.lane < len(lanes)
    ]
