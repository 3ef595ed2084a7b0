"""A part of a history drawn: one lane for each process, its calls as bars, the leases of the proof below them."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_taskq.reports.html.timeline import Bar, Clash, Held, Lane, bars_of, clashes, lanes_of, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_taskq.reports.html.plain import Plain

BODY = 40.0
CALL_Y, CALL_HEIGHT = 10.0, 24.0
MOST_DRAWN = 32
MOST_LISTED = 120
_STAMP = 26.0
_CHARACTER = 6.8
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
class Box:
    """A call as it is drawn."""

    call: Call
    place: int
    lane: int
    x: float
    y: float
    width: float
    label: str


@dataclass(frozen=True, slots=True)
class HistoryPicture:
    """All that the template draws; ``calls`` are those of the table, ``total`` all that were recorded."""

    total: int
    file: str
    calls: Sequence[Call]
    width: float
    height: float
    lanes: Sequence[Lane]
    boxes: Sequence[Box]
    leases: Sequence[Bar]
    clashes: Sequence[Clash]
    stamps: Sequence[tuple[float, str]]


def history_picture(history: Plain) -> HistoryPicture | None:
    """Return the picture of ``details["history"]``, None if there is nothing to draw."""
    every = [call for call in map(_call, history["calls"]) if call is not None]
    calls = nearest(every, MOST_LISTED)
    drawn = nearest(calls, MOST_DRAWN)
    names = sorted({call.worker for call in drawn})[:_MOST_LANES]
    if not drawn:
        return None
    axis = _axis(drawn)
    leases = [*_leases(history["leases"], names, axis)]
    rows = rows_of(leases)
    lanes = lanes_of(names, BODY, leases, rows)
    return HistoryPicture(
        total=history["total"].whole() or len(every),
        file=history["file"].text(1_000),
        calls=calls,
        width=len(axis) * _STAMP + _STAMP,
        height=lanes[-1].y + lanes[-1].height,
        lanes=lanes,
        boxes=[*_boxes(drawn, calls, names, lanes, axis)],
        leases=bars_of(leases, rows, lanes, BODY),
        clashes=clashes(leases),
        stamps=[(_x(stamp, axis), f"+{stamp / 1e6:.2f} ms") for stamp in axis[::_LABEL_EVERY]],
    )


def nearest(calls: Sequence[Call], most: int) -> list[Call]:
    """Return at most ``most`` calls in their order: the proof, its tasks', and what is nearest to its last call."""
    if len(calls) <= most:
        return [*calls]
    proof = [call for call in calls if call.witness] or [*calls[-1:]]
    tasks, last = {call.task for call in proof} - {""}, proof[-1]

    def distance(call: Call) -> tuple[bool, bool, int]:
        apart = max(call.called - (last.returned or last.called), last.called - (call.returned or call.called), 0)
        return not call.witness, call.task not in tasks, apart

    return sorted(sorted(calls, key=distance)[:most], key=lambda call: call.called)


def _call(plain: Plain) -> Call | None:
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
    )


def _axis(drawn: Sequence[Call]) -> list[int]:
    """Return the stamps in their order: each is one step to the right of the one before, however far apart."""
    returned = {call.returned for call in drawn if call.returned is not None}
    return sorted({call.called for call in drawn} | returned)


def _x(stamp: int, axis: Sequence[int]) -> float:
    place = bisect_left(axis, stamp)
    beyond = place == len(axis) or axis[place] != stamp
    return place * _STAMP + (0.0 if beyond else _STAMP / 2)


def _boxes(
    drawn: Sequence[Call], calls: Sequence[Call], names: Sequence[str], lanes: Sequence[Lane], axis: Sequence[int]
) -> Iterator[Box]:
    places = {id(call): place for place, call in enumerate(calls)}
    right = len(axis) * _STAMP + _STAMP / 2
    for call in drawn:
        if call.worker not in names:
            continue
        lane = names.index(call.worker)
        x = _x(call.called, axis)
        width = max((right if call.returned is None else _x(call.returned, axis)) - x, 4.0)
        room = int((width - 8) / _CHARACTER)
        label = next((one for one in (call.text, call.kind) if len(one) <= room), call.kind[: max(room, 0)])
        yield Box(call, places[id(call)], lane, x, lanes[lane].y + CALL_Y, width, label)


def _leases(leases: Plain, names: Sequence[str], axis: Sequence[int]) -> Iterator[Held]:
    for lease in leases:
        worker, began, ended = lease["worker"].text(24), lease["began"].whole(), lease["ended"].whole()
        if worker not in names or began is None or began > axis[-1]:
            continue
        is_open = ended is None or ended > axis[-1]
        end = len(axis) * _STAMP + _STAMP if is_open or ended is None else _x(max(ended, began), axis)
        yield Held(names.index(worker), lease["task"].text(60), _x(began, axis), end, open=is_open)
