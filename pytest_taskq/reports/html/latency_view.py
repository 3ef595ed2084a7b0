"""Latencies drawn: how often each length came, the target, the floor, and where p50, p95 and p99 stand."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_taskq.reports.html.words import Word, figures, seconds, word_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_taskq.reports.html.plain import Plain

WIDTH, HEIGHT = 720.0, 190.0
LEFT, RIGHT, PLOT_TOP, PLOT_BOTTOM = 8.0, 712.0, 40.0, 160.0
QUANTILES = ("p50", "p95", "p99")
_ROW = 13.0  # between the texts of two marks that would stand on each other
_APART = 96.0


@dataclass(frozen=True, slots=True)
class Column:
    """How often lengths between two edges came, as a bar."""

    x: float
    width: float
    y: float
    height: float
    title: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A quantile or the target: a line with its name, and the interval it is known within."""

    name: str
    x: float
    label_y: float
    low: float | None
    high: float | None
    text: str

    @property
    def at_right(self) -> bool:
        """Whether its name stands to the left of its line, where there is room."""
        return self.x > RIGHT - _APART


@dataclass(frozen=True, slots=True)
class CallFigures:
    """One measured call: the picture (if a histogram was kept) and the rows of its table."""

    name: str
    samples: str
    word: Word | None
    facts: Sequence[tuple[str, str]]
    columns: Sequence[Column]
    floor: str
    marks: Sequence[Mark]
    ticks: Sequence[tuple[float, str]]


def call_figures(call: Plain) -> CallFigures:
    """Return what is shown of one of ``details["latency"]["calls"]``; what is missing is left out."""
    axis = _Axis.of(call)
    verdict = call["verdict"].text(20)
    return CallFigures(
        name=call["name"].text(120) or call["method"].text(120) or "a call",
        samples=figures(call["samples"].number()),
        word=word_of(verdict) if verdict else None,
        facts=[*_facts(call)],
        columns=[*_columns(call["histogram"], axis)] if axis else [],
        floor=_outline(call["histogram"], axis) if axis else "",
        marks=[*_marks(call, axis)] if axis else [],
        ticks=[*axis.ticks()] if axis else [],
    )


@dataclass(frozen=True, slots=True)
class _Axis:
    """Lengths on a logarithmic scale: a queue's tail is a hundred times its median."""

    low: float
    high: float

    @classmethod
    def of(cls, call: Plain) -> _Axis | None:
        edges = call["histogram"]["edges"].numbers()
        kept = [*edges, *(_value(call, name) for name in QUANTILES), call["target"].number()]
        some = [one for one in kept if one is not None and one > 0]
        if len(edges) < 2 or not some or min(some) == max(some):  # noqa: PLR2004 - one bar has two edges
            return None
        return cls(math.log10(min(some)) - 0.02, math.log10(max(some)) + 0.08)

    def x(self, value: float) -> float:
        part = (math.log10(max(value, 10**self.low)) - self.low) / (self.high - self.low)
        return round(LEFT + min(part, 1.0) * (RIGHT - LEFT), 1)

    def ticks(self) -> Iterator[tuple[float, str]]:
        steps = (1, 2, 5) if self.high - self.low < 2 else (1,)  # noqa: PLR2004 - two powers of ten fit so many
        for power in range(math.floor(self.low), math.ceil(self.high) + 1):
            for step in steps:
                if self.low <= math.log10(step * 10.0**power) <= self.high:
                    yield self.x(step * 10.0**power), seconds(step * 10.0**power)


def _value(call: Plain, quantile: str) -> float | None:
    interval = call[quantile]
    return interval.number() if interval.number() is not None else next(iter(interval), interval).number()


def _columns(histogram: Plain, axis: _Axis) -> Iterator[Column]:
    edges, counts = histogram["edges"].numbers(), histogram["counts"].numbers()
    most = max(counts, default=0.0)
    for low, high, count in zip(edges, edges[1:], counts, strict=False):
        if count > 0:
            x, height = axis.x(low), count / most * (PLOT_BOTTOM - PLOT_TOP)
            title = f"{figures(count)} from {seconds(low)} to {seconds(high)}"
            width = max(axis.x(high) - x - 0.6, 0.8)
            yield Column(x, round(width, 1), round(PLOT_BOTTOM - height, 1), round(height, 1), title)


def _outline(histogram: Plain, axis: _Axis) -> str:
    """Return the path of the floor's histogram, as high at its peak as the call's: shapes and places compare."""
    edges, counts = histogram["edges"].numbers(), histogram["floor"].numbers()
    most = max(counts, default=0.0)
    if most <= 0 or len(edges) < 2:  # noqa: PLR2004 - one bar has two edges
        return ""
    path = [f"M{axis.x(edges[0])} {PLOT_BOTTOM}"]
    for low, high, count in zip(edges, edges[1:], counts, strict=False):
        y = round(PLOT_BOTTOM - count / most * (PLOT_BOTTOM - PLOT_TOP), 1)
        path.append(f"L{axis.x(low)} {y}L{axis.x(high)} {y}")
    return "".join(path)


def _marks(call: Plain, axis: _Axis) -> Iterator[Mark]:
    found = [(name, _value(call, name), call[name].numbers()) for name in QUANTILES]
    found.append(("target", call["target"].number(), []))
    free = dict.fromkeys(range(3), -1e9)  # where each row of names is taken up to
    for name, value, interval in sorted((one for one in found if one[1] is not None), key=lambda one: one[1] or 0):
        x = axis.x(value or 0)
        row = next((row for row, taken in free.items() if x > taken), 0)
        free[row] = x + _APART
        low, high = (axis.x(interval[1]), axis.x(interval[2])) if len(interval) > 2 else (None, None)  # noqa: PLR2004 - value, low, high
        yield Mark(name, x, 9 + row * _ROW, low, high, f"{name} {seconds(value)}")


def _facts(call: Plain) -> Iterator[tuple[str, str]]:
    for name in QUANTILES:
        value, interval = _value(call, name), call[name].numbers()
        if value is not None:
            known = f" ({seconds(interval[1])} to {seconds(interval[2])})" if len(interval) > 2 else ""  # noqa: PLR2004 - value, low, high
            floor = call["floor"][name].number()
            beside = f"; floor {seconds(floor)}" if floor is not None else ""
            yield name, f"{seconds(value)}{known}{beside}"
    if call["target"].number() is not None:
        quantile = call["quantile"].number()
        yield "target", f"{seconds(call['target'].number())}" + (f" at p{quantile * 100:g}" if quantile else "")
    if call["exceeded"].there:
        allowed = f", {figures(call['allowed'].number())} allowed" if call["allowed"].there else ""
        yield "above the target", f"{figures(call['exceeded'].number())}{allowed}"
    ratio = call["ratio"].numbers()
    if ratio:
        known = f" ({figures(ratio[1])} to {figures(ratio[2])})" if len(ratio) > 2 else ""  # noqa: PLR2004 - value, low, high
        yield "to the floor", f"{figures(ratio[0])} times{known}"
