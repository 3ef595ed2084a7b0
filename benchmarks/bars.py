"""What the figures have to come to, and whether they do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

REFERENCE, FLOOR, BARE = "reference", "floor", "bare table, one index"
CALLS = ("enqueue", "claim", "complete")
TIMES_FLOOR = {"NORMAL": 1.5, "FULL": 1.2}
TIMES_BARE = 2.0
TIMES_BEST_PEER = {"NORMAL": 2.0, "FULL": 1.0}
LEAST_SHARE = 0.25
TIMES_SMALL = 1.5
STATISTICS_US = 200_000.0
LOCK_HELD_US = 5_000.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: what was measured and what is allowed."""

    text: str
    measured: float
    allowed: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the figure is on the right side."""
        return self.measured >= self.allowed if self.at_least else self.measured <= self.allowed


def judged(figures: dict[str, Any]) -> list[Bar]:
    """Return every bar with its figure."""
    return [*_single(figures), *_crew(figures), *_flat(figures), *_upkeep(figures)]


def _single(figures: dict[str, Any]) -> Iterator[Bar]:
    for level, allowed in TIMES_FLOOR.items():
        rows = {row["name"]: row["latency"] for row in figures[f"single {level}"]}
        for call in CALLS:
            own = rows[REFERENCE][call]["p50"]
            yield Bar(f"{call}, {level}: p50 as a multiple of the floor", own / rows[FLOOR][call]["p50"], allowed)
            if level == "NORMAL":
                of_bare = own / rows[BARE][call]["p50"]
                yield Bar(f"{call}, {level}: p50 as a multiple of the bare table", of_bare, TIMES_BARE)


def _crew(figures: dict[str, Any]) -> Iterator[Bar]:
    for level, allowed in TIMES_BEST_PEER.items():
        rows = {row["name"]: row for row in figures[f"crew {level}"]}
        own = rows[REFERENCE]
        best = best_peer(figures[f"crew {level}"])
        ratio = own["per_second"] / best["per_second"]
        yield Bar(f"4 processes, {level}: cycles as a multiple of {best['name']}", ratio, allowed, at_least=True)
        share = own["least_fair_round"]
        yield Bar(f"4 processes, {level}: the least share, of a fair one", share, LEAST_SHARE, at_least=True)
        yield Bar(f"4 processes, {level}: lock errors", own["lock_errors"], 0)


def best_peer(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the row of the fastest peer that records completion and gave no task to two processes."""
    sound = [row for row in rows if row["records_completion"] and not row["claimed_twice"]]
    peers = [row for row in sound if row["name"] not in {REFERENCE, FLOOR, BARE}]
    return max(peers, key=lambda row: float(row["per_second"]))


def _flat(figures: dict[str, Any]) -> Iterator[Bar]:
    large = f"{figures['plan']['large']:,}"
    for row in figures["flat"]:
        ratio = row["large"]["p50"] / row["small"]["p50"]
        yield Bar(f"{row['strategy']}, {large} {row['beside']}: p50 as a multiple of few", ratio, TIMES_SMALL)


def _upkeep(figures: dict[str, Any]) -> Iterator[Bar]:
    rows = figures["plan"]
    yield Bar(f"statistics at {rows['statistics']:,} rows, p50 in us", figures["statistics"]["p50"], STATISTICS_US)
    held = figures["cleanup"]["p99"]
    yield Bar(f"write lock held while {rows['cleanup']:,} rows are deleted, p99 in us", held, LOCK_HELD_US)
