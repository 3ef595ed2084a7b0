"""Figures as pictures: horizontal bars in SVG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import postgres
from .bars import BARE, CALLS, FLOOR, REFERENCE
from .templates import rendered

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LEFT, _LONGEST, _MARGIN, _THICKNESS, _STEP, _TOP = 230, 420, 110, 14, 20, 38
_COLOURS = {REFERENCE: "#1b6ca8", FLOOR: "#555555", BARE: "#999999"}
_PEER = "#c9a66b"


@dataclass(frozen=True, slots=True)
class Length:
    """One bar: what it stands for, how long it is, in which colour."""

    label: str
    value: float
    colour: str


def pictures(figures: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the name of every picture and its SVG."""
    plan = figures["plan"]
    for level in ("NORMAL", "FULL"):
        yield from _of_level(figures, level, level.lower(), f"synchronous {level}")
    yield "flat", _drawn("p50 of a claim (us)", list(_flat(figures["flat"], plan)))
    found = figures["postgres"]
    if "skipped" in found:
        return
    for level in postgres.LEVELS:
        yield from _of_level(found, level, f"postgres-{level}", f"PostgreSQL, synchronous_commit {level}")
    yield "flat-postgres", _drawn("p50 of a claim on PostgreSQL (us)", list(_flat(found["flat"], plan)))


def _of_level(figures: dict[str, Any], level: str, name: str, title: str) -> Iterator[tuple[str, str]]:
    rows = figures[f"single {level}"]
    lengths = [
        Length(f"{call}: {row['name']}", row["latency"][call]["p50"], _colour(row["name"]))
        for call in CALLS
        for row in rows
    ]
    yield f"single-{name}", _drawn(f"p50 of a call, {title} (us)", lengths)
    lengths = [Length(row["name"], row["per_second"], _colour(row["name"])) for row in figures[f"crew {level}"]]
    yield f"crew-{name}", _drawn(f"cycles per second, 4 processes, {title}", lengths)


def _flat(rows: list[dict[str, Any]], plan: dict[str, Any]) -> Iterator[Length]:
    for row in rows:
        for side, colour in (("small", _COLOURS[BARE]), ("large", _COLOURS[REFERENCE])):
            label = f"{row['strategy']}, {row['beside']}" if side == "large" else f"{plan['small']:,} alone"
            yield Length(label, row[side]["p50"], colour)


def _colour(name: str) -> str:
    return _COLOURS.get(name, _PEER)


def _drawn(title: str, lengths: Sequence[Length]) -> str:
    longest = max(length.value for length in lengths) or 1
    rows = [
        {
            "label": length.label,
            "value": f"{length.value:,.0f}",
            "colour": length.colour,
            "length": length.value / longest * _LONGEST,
            "top": _TOP + number * _STEP,
            "middle": _TOP + number * _STEP + _THICKNESS / 2,
        }
        for number, length in enumerate(lengths)
    ]
    size = {"width": _LEFT + _LONGEST + _MARGIN, "height": _TOP + len(rows) * _STEP + 10}
    return rendered("bars.svg.j2", title=title, rows=rows, left=_LEFT, thickness=_THICKNESS, **size)
