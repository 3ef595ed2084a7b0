"""Figures as a page of Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import postgres
from .bars import CALLS, FLOOR, judged_on_postgres, judged_on_sqlite
from .flat import PRIORITIES
from .templates import rendered

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .bars import Bar

LEVELS = ("NORMAL", "FULL")
_OPERATIONS = (*CALLS, "cycle")


def page(figures: dict[str, Any]) -> str:
    """Return docs/benchmarks.md."""
    return rendered(
        "page.md.j2",
        machine=figures["machine"],
        plan=figures["plan"],
        levels=LEVELS,
        bars=_bars(judged_on_sqlite(figures)),
        single={level: _single(figures[f"single {level}"]) for level in LEVELS},
        crew={level: _crew(figures[f"crew {level}"]) for level in LEVELS},
        flat=_flat(figures["flat"]),
        statistics=figures["statistics"],
        cleanup=figures["cleanup"],
        prices=_prices(figures["prices"]),
        priorities=PRIORITIES,
        batches=_batches({level: figures[f"batches {level}"] for level in LEVELS}),
        postgres=_postgres(figures),
    )


def _postgres(figures: dict[str, Any]) -> dict[str, Any]:
    found = figures["postgres"]
    if "skipped" in found:
        return found
    return {
        "machine": found["machine"],
        "note": found.get("note", ""),
        "levels": postgres.LEVELS,
        "bars": _bars(judged_on_postgres(figures)),
        "single": {level: _single(found[f"single {level}"]) for level in postgres.LEVELS},
        "crew": {level: _crew(found[f"crew {level}"]) for level in postgres.LEVELS},
        "flat": _flat(found["flat"]),
        "statistics": found["statistics"],
        "cleanup": found["cleanup"],
        "batches": _batches({"on": found["batches"]}),
        "prices": _prices(found["prices"]),
    }


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table, its first column to the left and the others to the right."""
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, rule, *rows))


def _bars(bars: Iterable[Bar]) -> str:
    rows = [
        (
            bar.text,
            f"{bar.measured:,.2f}",
            f"{'at least' if bar.at_least else 'at most'} {bar.allowed:,g}",
            "met" if bar.met else "**missed**",
        )
        for bar in bars
    ]
    return table(("bar", "measured", "allowed", ""), rows)


def _single(rows: list[dict[str, Any]]) -> str:
    floor = next(row for row in rows if row["name"] == FLOOR)["latency"]
    cells = [
        (
            row["name"],
            row["synchronous"],
            *(_latency(row["latency"][call], floor[call]["p50"]) for call in _OPERATIONS),
            f"{row['per_second']:,}",
        )
        for row in rows
    ]
    return table(("", "in force", *(f"{call} (x floor)" for call in _OPERATIONS), "cycles/s"), cells)


def _latency(one: dict[str, float], floor: float) -> str:
    return f"{one['p50']:,.0f} / {one['p95']:,.0f} / {one['p99']:,.0f} ({one['p50'] / floor:.2f})"


def _crew(rows: list[dict[str, Any]]) -> str:
    cells = [
        (
            row["name"],
            "yes" if row["records_completion"] else "no",
            f"{row['per_second']:,}",
            f"{min(row['rounds']):,} to {max(row['rounds']):,}",
            f"{row['least_fair_round']:.2f}",
            str(row["lock_errors"]),
            str(row["claimed_twice"]),
            "" if row["lost"] is None else str(row["lost"]),
            *(_percentiles(row["latency"].get(call)) for call in CALLS),
        )
        for row in rows
    ]
    counted = ("cycles/s", "rounds", "least share", "lock errors", "claimed twice", "lost")
    head = ("", "records completion", *counted, *CALLS)
    return table(head, cells)


def _percentiles(one: dict[str, float] | None) -> str:
    return "" if one is None else f"{one['p50']:,.0f} / {one['p95']:,.0f} / {one['p99']:,.0f}"


def _flat(rows: list[dict[str, Any]]) -> str:
    cells = [
        (
            f"{row['strategy']}, {row['beside']}",
            _percentiles(row["small"]),
            _percentiles(row["large"]),
            f"{row['large']['p50'] / row['small']['p50']:.2f}",
            f"{row['small']['first']:,.0f}",
            f"{row['large']['first']:,.0f}",
        )
        for row in rows
    ]
    return table(("", "few", "many", "ratio of p50", "first, few", "first, many"), cells)


def _prices(rows: list[dict[str, Any]]) -> str:
    everything, *others = rows
    cells = [
        (
            f"`{row['without']}`" if row is not others[-1] else row["without"],
            *(f"{everything['latency'][call]['p50'] - row['latency'][call]['p50']:+.1f}" for call in _OPERATIONS),
        )
        for row in others
    ]
    total = ("everything there: p50", *(f"{everything['latency'][call]['p50']:.1f}" for call in _OPERATIONS))
    return table(("", *_OPERATIONS), [total, *cells])


def _batches(found: dict[str, list[dict[str, Any]]]) -> str:
    sizes = list(dict.fromkeys(row["to_a_call"] for rows in found.values() for row in rows))
    cells = []
    for where, rows in found.items():
        for name in dict.fromkeys(row["name"] for row in rows):
            own = [row for row in rows if row["name"] == name]
            cells += [
                (f"{verb}, {where}: {name}", *("" if row[verb] is None else f"{row[verb]:,}" for row in own))
                for verb in ("enqueue", "claim")
            ]
    return table(("tasks per second", *(f"{size} to a call" for size in sizes)), cells)
