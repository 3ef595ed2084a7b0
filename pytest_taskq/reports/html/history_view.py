"""A part of a history drawn: one lane for each process, its calls as bars, the leases of the proof below them.

Where a process was killed its lane has a mark with the word in it. The call that it was in ends there with an open bar:
nobody knows whether it took effect, so that it has no right edge.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from pytest_taskq.reports.html.timeline import Bar, Clash, Held, Lane, bars_of, clashes, lanes_of, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_taskq.reports.html.plain import Plain

BODY = 40.0
CALL_Y, CALL_HEIGHT = 10.0, 24.0
MOST_DRAWN = 32
_DRAWN_TO_A_DEATH = 16  # so that the proof and the death after it are seen at once
MOST_LISTED = 120
_STAMP = 26.0
_DEATH = 68.0  # wide enough for its word
_CHARACTER = 6.8
_GAP = 3.0
_MOST_LANES = 12
_LABEL_EVERY = 5


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the excerpt; ``length`` is how long it took, None if its caller died."""

    worker: str
    kind: str
    task: str
    called: int
    returned: int | None
    outcome: str
    witness: bool
    last: bool = False  # its process was killed in it, or after it and before another

    @property
    def text(self) -> str:
        """What was called, on which task, and what came of it."""
        said = self.outcome or ("" if self.kind != "claim" else self.task)
        head = self.kind if self.kind == "claim" else f"{self.kind} {self.task}".strip()
        return f"{head} → {said}" if said else head

    @property
    def length(self) -> float | None:
        """Seconds."""
        return None if self.returned is None else (self.returned - self.called) / 1e9


@dataclass(frozen=True, slots=True)
class Death:
    """A process that was killed, dead at ``called``; ``inside`` is the call that it was in, None if in none."""

    worker: str
    called: int
    inside: Call | None

    @property
    def text(self) -> str:
        """What happened, and what of it nobody knows."""
        if self.inside is None:
            return f"{self.worker} was killed between two calls"
        call = f"{self.inside.kind} {self.inside.task}".strip()
        return f"{self.worker} was killed in {call}: nobody knows whether it took effect"


@dataclass(frozen=True, slots=True)
class Box:
    """A call as it is drawn; ``tail`` is where its open end stops, None for one that returned."""

    call: Call
    place: int
    lane: int
    x: float
    y: float
    width: float
    label: str
    tail: float | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a process was killed, as it is drawn."""

    death: Death
    place: int
    lane: int
    x: float
    y: float
    width: float
    below: float


@dataclass(frozen=True, slots=True)
class HistoryPicture:
    """All that the template draws; ``rows`` are those of the table, ``total`` is of all calls that were recorded."""

    total: int
    file: str
    rows: Sequence[Call | Death]
    width: float
    height: float
    lanes: Sequence[Lane]
    boxes: Sequence[Box]
    marks: Sequence[Mark]
    leases: Sequence[Bar]
    clashes: Sequence[Clash]
    stamps: Sequence[tuple[float, str]]

    @property
    def listed(self) -> int:
        """How many calls the table has."""
        return sum(isinstance(row, Call) for row in self.rows)

    @property
    def unknown(self) -> bool:
        """Whether a call has no known end."""
        return any(box.tail is not None for box in self.boxes)


def history_picture(history: Plain) -> HistoryPicture | None:
    """Return the picture of ``details["history"]``, None if there is nothing to draw."""
    every = _calls(history)
    calls = nearest(every, MOST_LISTED)
    drawn = nearest(calls, _DRAWN_TO_A_DEATH if any(call.last for call in calls) else MOST_DRAWN)
    if not drawn:
        return None
    deaths = _deaths(history["deaths"], [*history["calls"]])
    rows: list[Call | Death] = [*calls, *_among(deaths, calls)]
    rows.sort(key=lambda one: one.called)
    names = sorted({call.worker for call in drawn})[:_MOST_LANES]
    axis = _Axis.of(drawn, [one for one in _among(deaths, drawn) if one.worker in names])
    leases = [*_leases(history["leases"], names, axis)]
    levels = rows_of(leases)
    lanes = lanes_of(names, BODY, leases, levels)
    return HistoryPicture(
        total=history["total"].whole() or len(every),
        file=history["file"].text(1_000),
        rows=rows,
        width=axis.width,
        height=lanes[-1].y + lanes[-1].height,
        lanes=lanes,
        boxes=[*_boxes(drawn, rows, names, lanes, axis)],
        marks=[*_marks(rows, names, lanes, axis)],
        leases=bars_of(leases, levels, lanes, BODY),
        clashes=clashes(leases),
        stamps=[(axis.x(stamp), f"+{stamp / 1e6:.2f} ms") for stamp in axis.stamps[::_LABEL_EVERY]],
    )


def nearest(calls: Sequence[Call], most: int) -> list[Call]:
    """Return at most ``most`` calls in their order: the proof, its tasks', and what is nearest to its last call.

    The last calls of processes of the proof that were killed come before what is merely near.
    """
    if len(calls) <= most:
        return [*calls]
    proof = [call for call in calls if call.witness] or [*calls[-1:]]
    tasks, workers, last = {call.task for call in proof} - {""}, {call.worker for call in proof}, proof[-1]

    def distance(call: Call) -> tuple[bool, bool, bool, int]:
        apart = max(call.called - (last.returned or last.called), last.called - (call.returned or call.called), 0)
        return not call.witness, call.task not in tasks, not (call.last and call.worker in workers), apart

    return sorted(sorted(calls, key=distance)[:most], key=lambda call: call.called)


def _calls(history: Plain) -> list[Call]:
    lasts = {death["call"].whole() for death in history["deaths"]}
    found = [_call(call, last=place in lasts) for place, call in enumerate(history["calls"])]
    return [call for call in found if call is not None]


def _call(plain: Plain, *, last: bool = False) -> Call | None:
    called = plain["called"].whole()
    if called is None:
        return None
    return Call(
        worker=plain["worker"].text(24) or "?",
        kind=plain["kind"].text(24),
        task=plain["task"].text(200),
        called=called,
        returned=plain["returned"].whole(),
        outcome=plain["outcome"].text(500),
        witness=plain["witness"].value is True,
        last=last,
    )


def _deaths(deaths: Plain, calls: Sequence[Plain]) -> list[Death]:
    found = []
    for death in deaths:
        at, place = death["at"].whole(), death["call"].whole()
        there = place is not None and 0 <= place < len(calls)
        call = _call(calls[place], last=True) if there and place is not None else None
        if at is not None:
            inside = call if call is not None and call.returned is None else None
            found.append(Death(death["worker"].text(24) or "?", at, inside))
    return found


def _among(deaths: Sequence[Death], calls: Sequence[Call]) -> list[Death]:
    """Return the deaths that fall among the calls, and those of a process whose last call is one of them."""
    begin, end = calls[0].called, max(call.returned or call.called for call in calls)
    lasts = [call for call in calls if call.last]
    return [
        death
        for death in deaths
        if begin <= death.called <= end
        or any(call.worker == death.worker and call.called <= death.called for call in lasts)
    ]


@dataclass(frozen=True, slots=True)
class _Axis:
    """The stamps in their order: each is one step to the right of the one before, however far apart they are."""

    stamps: Sequence[int]
    edges: Sequence[float]  # where each step begins, and where the last one ends

    @classmethod
    def of(cls, drawn: Sequence[Call], deaths: Sequence[Death]) -> _Axis:
        killed = {death.called for death in deaths}
        returned = {call.returned for call in drawn if call.returned is not None}
        stamps = sorted({call.called for call in drawn} | returned | killed)
        return cls(stamps, [*accumulate((_DEATH if one in killed else _STAMP for one in stamps), initial=0.0)])

    @property
    def width(self) -> float:
        """Some room after the last stamp, for what goes on."""
        return self.edges[-1] + _STAMP

    def x(self, stamp: int) -> float:
        """Return the middle of a stamp's step; of one that is none of them, where the next step begins."""
        place = bisect_left(self.stamps, stamp)
        if place == len(self.stamps) or self.stamps[place] != stamp:
            return self.edges[place]
        return (self.edges[place] + self.edges[place + 1]) / 2


def _boxes(
    drawn: Sequence[Call], rows: Sequence[Call | Death], names: Sequence[str], lanes: Sequence[Lane], axis: _Axis
) -> Iterator[Box]:
    places = {id(row): place for place, row in enumerate(rows)}
    for call in drawn:
        if call.worker not in names:
            continue
        lane = names.index(call.worker)
        x = axis.x(call.called)
        end, tail = (axis.x(call.returned), None) if call.returned is not None else _open_end(call, drawn, rows, axis)
        width = max(end - x, 4.0)
        room = int((width - 8) / _CHARACTER)
        label = next((one for one in (call.text, call.kind) if len(one) <= room), call.kind[: max(room, 0)])
        yield Box(call, places[id(call)], lane, x, lanes[lane].y + CALL_Y, width, label, tail)


def _open_end(call: Call, drawn: Sequence[Call], rows: Sequence[Call | Death], axis: _Axis) -> tuple[float, float]:
    """Return how far a call certainly went on, and how far its open end is drawn: to the next call in its lane."""
    killed = next((row for row in rows if isinstance(row, Death) and row.inside == call), None)
    later = [one.called for one in drawn if one.worker == call.worker and one.called > call.called]
    tail = axis.x(min(later)) - _GAP if later else axis.width - _GAP
    if killed is None:
        return min(axis.x(call.called) + _STAMP / 2, tail), tail
    return axis.x(killed.called) - _DEATH / 2 + _GAP, max(tail, axis.x(killed.called) + _DEATH / 2)


def _marks(rows: Sequence[Call | Death], names: Sequence[str], lanes: Sequence[Lane], axis: _Axis) -> Iterator[Mark]:
    for place, row in enumerate(rows):
        if isinstance(row, Death) and row.worker in names and row.called in axis.stamps:
            lane = names.index(row.worker)
            x = axis.x(row.called) - _DEATH / 2 + _GAP
            below = lanes[lane].y + lanes[lane].height
            yield Mark(row, place, lane, x, lanes[lane].y + CALL_Y, _DEATH - 2 * _GAP, below)


def _leases(leases: Plain, names: Sequence[str], axis: _Axis) -> Iterator[Held]:
    last = axis.stamps[-1]
    for lease in leases:
        worker, began, ended = lease["worker"].text(24), lease["began"].whole(), lease["ended"].whole()
        if worker not in names or began is None or began > last:
            continue
        is_open = ended is None or ended > last
        end = axis.width if is_open or ended is None else axis.x(max(ended, began))
        yield Held(names.index(worker), lease["task"].text(60), axis.x(began), end, open=is_open)
