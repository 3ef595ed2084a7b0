"""A schedule drawn: one lane for each worker, its statements in order, its calls above and its leases below them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_taskq.contract.details import NOBODY
from pytest_taskq.reports.html.timeline import (
    TOP,
    Bar,
    Clash,
    Held,
    Lane,
    bars_of,
    clashes,
    lanes_of,
    rows_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_taskq.reports.html.plain import Plain

BODY = 60.0  # of a lane: the call above, the statement below it
CALL_Y, CALL_HEIGHT = 8.0, 16.0
STEP_Y, STEP_HEIGHT = 30.0, 22.0
_WIDTHS = {"call": 16.0, "return": 16.0, "aside": 20.0, "time": 92.0}
_STEP = 78.0
_TAIL = 64.0  # after the last moment, so that a lease that it gave is seen to run
_GAP = 4.0
_MOST_WORKERS = 8
_CHARACTER = 6.8  # of the small fixed-width type
_VERB = re.compile(r"[A-Za-z]+")


@dataclass(frozen=True, slots=True)
class Step:
    """A moment: what it is called on its box, the whole text for whoever points at it, and its place in the table."""

    place: int
    lane: int
    kind: str
    number: int | None
    label: str
    text: str
    notes: tuple[str, ...]
    at: float
    trouble: bool  # it was blocked, or met an error
    writing: bool
    x: float
    y: float
    width: float

    @property
    def middle(self) -> float:
        """Where its label stands."""
        return self.x + self.width / 2


@dataclass(frozen=True, slots=True)
class Span:
    """A call, from its beginning to its return; ``died`` if there was none."""

    lane: int
    x: float
    width: float
    y: float
    label: str
    outcome: str
    died: bool


@dataclass(frozen=True, slots=True)
class SchedulePicture:
    """All that the template draws."""

    scenario: str
    token: str
    run: int | None
    deviations: int | None
    left_out: int
    width: float
    height: float
    lanes: Sequence[Lane]
    steps: Sequence[Step]
    calls: Sequence[Span]
    leases: Sequence[Bar]
    clashes: Sequence[Clash]
    moves: bool  # whether time passed, so that it is worth a column

    @property
    def jumps(self) -> list[Step]:
        """The moments at which time passed for all."""
        return [step for step in self.steps if step.lane == NOBODY]


def schedule_picture(schedule: Plain) -> SchedulePicture | None:
    """Return the picture of ``details["schedule"]``, None if there is nothing to draw."""
    names = [f"worker {name}" for name in schedule["workers"].texts(20)][:_MOST_WORKERS]
    moments = [*schedule["moments"]]
    if not names or not moments:
        return None
    edges = [*_edges(moments)]
    leases = [*_leases(schedule["leases"], edges, len(names))]
    rows = rows_of(leases)
    lanes = lanes_of(names, BODY, leases, rows)
    steps = [*_steps(moments, edges, lanes)]
    return SchedulePicture(
        scenario=schedule["scenario"].text(200),
        token=schedule["token"].text(2_000),
        run=schedule["run"].whole(),
        deviations=schedule["deviations"].whole(),
        left_out=schedule["left_out"].whole() or 0,
        width=edges[-1] + _GAP,
        height=lanes[-1].y + lanes[-1].height,
        lanes=lanes,
        steps=steps,
        calls=[*_calls(steps, lanes)],
        leases=bars_of(leases, rows, lanes, BODY),
        clashes=clashes(leases),
        moves=len({step.at for step in steps}) > 1,
    )


def _edges(moments: Sequence[Plain]) -> Iterator[float]:
    """Yield where each moment begins, and where the picture ends."""
    x = _GAP
    for moment in moments:
        yield x
        x += _WIDTHS.get(moment["kind"].text(20), _STEP)
    yield x + _TAIL


def _steps(moments: Sequence[Plain], edges: Sequence[float], lanes: Sequence[Lane]) -> Iterator[Step]:
    for place, moment in enumerate(moments):
        lane, kind = moment["worker"].whole(), moment["kind"].text(20)
        if lane is None or lane < 0 or lane >= len(lanes):
            lane = NOBODY
        notes = tuple(moment["notes"].texts(2_000))
        text = moment["text"].text(4_000)
        yield Step(
            place=place,
            lane=lane,
            kind=kind,
            number=moment["number"].whole(),
            label=_label(kind, text),
            text=text,
            notes=notes,
            at=moment["at"].number() or 0.0,
            trouble=any(map(_is_trouble, notes)),
            writing=moment["writing"].value is True,
            x=edges[place],
            y=TOP if lane == NOBODY else lanes[lane].y + STEP_Y,
            width=_WIDTHS.get(kind, _STEP) - _GAP,
        )


def _label(kind: str, text: str) -> str:
    if kind == "statement":
        verb = _VERB.search(text)
        return verb[0].upper()[:9] if verb else "SQL"
    return {"death": "dies", "sleep": "sleeps", "time": text[:14]}.get(kind, "")


def _is_trouble(note: str) -> bool:
    """Whether a note is no row: who blocked it, or the name of an error."""
    return note.startswith("=> blocked") or bool(re.fullmatch(r"=> [A-Za-z_]+", note))


def _calls(steps: Sequence[Step], lanes: Sequence[Lane]) -> Iterator[Span]:
    began: dict[int, Step] = {}
    for step in steps:
        if step.kind == "call":
            began[step.lane] = step
        elif step.kind in ("return", "death") and step.lane in began:
            yield _span(began.pop(step.lane), step, lanes)
    for call in began.values():
        yield _span(call, steps[-1], lanes)


def _span(call: Step, end: Step, lanes: Sequence[Lane]) -> Span:
    width = end.x + end.width - call.x
    outcome = end.text if end.kind == "return" else ""
    room = int((width - 10) / _CHARACTER)
    label = f"{call.text} {outcome}".strip()
    name = call.text.partition("(")[0]
    short = next((one for one in (label, f"{name} {outcome}".strip(), name) if len(one) <= room), name[:room])
    return Span(call.lane, call.x, width, lanes[call.lane].y + CALL_Y, short, outcome, died=end.kind != "return")


def _leases(leases: Plain, edges: Sequence[float], workers: int) -> Iterator[Held]:
    last = len(edges) - 1
    for lease in leases:
        lane, began = lease["worker"].whole(), lease["began"].whole()
        if lane is None or not 0 <= lane < workers or began is None or not 0 <= began < last:
            continue
        ended = lease["ended"].whole()
        end = edges[-1] if ended is None else edges[min(max(ended, began), last)]
        yield Held(lane, lease["task"].text(60), edges[began], end, open=ended is None, note=lease["ended_by"].text(40))
