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
_OURS = frozenset({REFERENCE, FLOOR, BARE})
AHEAD = 1.0
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
    """Return every bar with its figure: those of SQLite, and those of PostgreSQL if a server was there."""
    return [*judged_on_sqlite(figures), *judged_on_postgres(figures)]


def judged_on_sqlite(figures: dict[str, Any]) -> list[Bar]:
    """Return the bars of the part that needs no server."""
    large = figures["plan"]["large"]
    return [*_single(figures), *_crew(figures), *_flat(figures["flat"], large), *_upkeep(figures)]


def judged_on_postgres(figures: dict[str, Any]) -> list[Bar]:
    """Return the bars of the part that needs a server; none without one."""
    found = figures["postgres"]
    if "skipped" in found:
        return []
    plan = figures["plan"]
    counted = Bar(f"statistics at {plan['statistics']:,} rows, p50 in us", found["statistics"]["p50"], STATISTICS_US)
    return [*_crew_on_postgres(found), *_flat(found["flat"], plan["large"]), counted]


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
        rows = figures[f"crew {level}"]
        own = next(row for row in rows if row["name"] == REFERENCE)
        best, fastest = best_peer(rows), best_peer(rows, sound=False)
        for peer in (best,) if best is fastest else (best, fastest):
            if peer is not None:
                yield _times_peer(own, peer, level, allowed)
        yield from _without_trouble(own, level)


def _crew_on_postgres(found: dict[str, Any]) -> Iterator[Bar]:
    for level in ("on", "off"):
        rows = found[f"crew {level}"]
        own = next(row for row in rows if row["name"] == REFERENCE)
        for peer in (row for row in rows if row["name"] not in _OURS):
            yield _times_peer(own, peer, level, AHEAD)
        yield from _without_trouble(own, level)


def _times_peer(own: dict[str, Any], peer: dict[str, Any], level: str, allowed: float) -> Bar:
    text = f"4 processes, {level}: cycles as a multiple of {peer['name']}{_unsound(peer)}"
    return Bar(text, own["per_second"] / peer["per_second"], allowed, at_least=True)


def _unsound(peer: dict[str, Any]) -> str:
    wrong = {"gave {:,} twice": peer["claimed_twice"], "lost {:,}": peer["lost"] or 0}
    said = [text.format(count) for text, count in wrong.items() if count > 0]
    return f", which {' and '.join(said)}" if said else ""


def _without_trouble(own: dict[str, Any], level: str) -> Iterator[Bar]:
    share = own["least_fair_round"]
    yield Bar(f"4 processes, {level}: the least share, of a fair one", share, LEAST_SHARE, at_least=True)
    yield Bar(f"4 processes, {level}: lock errors", own["lock_errors"], 0)
    yield Bar(f"4 processes, {level}: tasks given twice or lost", own["claimed_twice"] + abs(own["lost"]), 0)


def best_peer(rows: list[dict[str, Any]], *, sound: bool = True) -> dict[str, Any] | None:
    """Return the row of the fastest peer that records completion; a sound one gave no task twice and lost none."""
    peers = [row for row in rows if row["records_completion"] and row["name"] not in _OURS]
    considered = (row for row in peers if not (sound and _unsound(row)))
    return max(considered, key=lambda row: float(row["per_second"]), default=None)


def _flat(rows: list[dict[str, Any]], large: int) -> Iterator[Bar]:
    for row in rows:
        ratio = row["large"]["p50"] / row["small"]["p50"]
        yield Bar(f"{row['strategy']}, {large:,} {row['beside']}: p50 as a multiple of few", ratio, TIMES_SMALL)


def _upkeep(figures: dict[str, Any]) -> Iterator[Bar]:
    rows = figures["plan"]
    yield Bar(f"statistics at {rows['statistics']:,} rows, p50 in us", figures["statistics"]["p50"], STATISTICS_US)
    held = figures["cleanup"]["p99"]
    yield Bar(f"write lock held while {rows['cleanup']:,} rows are deleted, p99 in us", held, LOCK_HELD_US)
