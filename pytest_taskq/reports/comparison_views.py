"""A comparison as text for a terminal, as Markdown for a comment on a pull request, and as JSON for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq.reports.comparison import ERROR, MARGIN, WORSE, Change, Shift
from pytest_taskq.reports.markdown import code, within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_taskq.reports.comparison import Comparison, LatencyChange, RequirementChange
    from pytest_taskq.reports.stored_report import StoredReport

FORMAT = 1
MARKER = "<!-- taskq compare -->"  # by which a bot finds its own comment to replace it
_LABEL = 17
_NOTED = tuple(shift for shift in Shift if shift is not Shift.SAME)


def headline(comparison: Comparison) -> str:
    """Return ``worse: 2 newly failing · 1 slower · 3 fixed``."""
    counts = [(kind, sum(one.change is kind for one in comparison.changes)) for kind in Change]
    shifts = [(kind, sum(one.shift is kind for one in comparison.latencies)) for kind in _NOTED]
    said = [f"{number} {kind.value}" for kind, number in (*counts, *shifts) if number]
    result = "worse" if comparison.worse else "nothing is worse"
    return f"{result}: {' · '.join(said)}" if said else f"{result}, and no verdict changed"


# --- text -------------------------------------------------------------------------------------------------------------


def text_lines(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """Yield each line with its style in rich's words."""
    for one in comparison.differences:
        yield f"not the same in both: {one.what}, {one.before} and then {one.after}", "yellow"
    width = max([_LABEL, *map(len, _labels(comparison))])
    for change in comparison.changes:
        style = "red" if change.change in WORSE else "green" if change.change is Change.FIXED else ""
        yield f"{change.change.value:<{width}} {_requirement(change)}  {_step(change)}{_because(change.reason)}", style
    for latency in comparison.latencies:
        if latency.shift in _NOTED:
            style = "red" if latency.shift in WORSE else ""
            yield f"{latency.shift.value:<{width}} {latency.requirement}  {latency.name}  {_ratios(latency)}", style
    yield from ((note, "") for note in _notes(comparison))
    yield headline(comparison), "bold red" if comparison.worse else "bold green"


def _labels(comparison: Comparison) -> Iterator[str]:
    yield from (change.change.value for change in comparison.changes)
    yield from (latency.shift.value for latency in comparison.latencies if latency.shift in _NOTED)


def _requirement(change: RequirementChange) -> str:
    return f"{change.id} {change.level:<6} {change.role}"


def _step(change: RequirementChange) -> str:
    return f"{change.before} -> {change.after}"


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


def _ratios(latency: LatencyChange) -> str:
    before, after = (f"{value:.2f}" if value else "not measured" for value in (latency.before, latency.after))
    if not latency.before or not latency.after:
        unit = " times the floor"
        return f"{before}{unit if latency.before else ''} -> {after}{unit if latency.after else ''}"
    return f"{before} -> {after} times the floor ({latency.after / latency.before - 1:+.0%})"


def _notes(comparison: Comparison) -> Iterator[str]:
    if comparison.still:
        yield "as before: " + ", ".join(f"{name} {verdict.value}" for name, verdict in comparison.still)
    if comparison.latencies_apart:
        yield f"latencies are not compared: {comparison.latencies_apart}"
    elif comparison.latencies:
        same = sum(one.shift is Shift.SAME for one in comparison.latencies)
        yield (
            f"{same} of {len(comparison.latencies)} latencies are within the noise; slower and faster are more than "
            f"{MARGIN:.0%} of the ratio to the floor, wrongly said in fewer than {ERROR:.1%} of comparisons"
        )


# --- Markdown ---------------------------------------------------------------------------------------------------------


def markdown(comparison: Comparison) -> str:
    """Return a comment for a pull request: the same for the same reports, and short enough to be posted."""
    return within([MARKER, f"### taskq: {headline(comparison)}", "", *_facts(comparison), *_sections(comparison)])


def _facts(comparison: Comparison) -> Iterator[str]:
    for one in comparison.differences:
        yield f"- not the same in both: {one.what}, {code(one.before)} and then {code(one.after)}"
    if comparison.differences:
        yield ""


def _sections(comparison: Comparison) -> Iterator[str]:
    for kind in Change:
        some = [one for one in comparison.changes if one.change is kind]
        yield from _section(kind.value, [_item(one) for one in some])
    for shift in _NOTED:
        moved = [one for one in comparison.latencies if one.shift is shift]
        yield from _section(shift.value, [f"- **{one.requirement}** {code(one.name)}: {_ratios(one)}" for one in moved])
    yield from (f"- {note}" for note in _notes(comparison))


def _section(title: str, items: list[str]) -> Iterator[str]:
    if items:
        yield from (f"**{title.capitalize()}** ({len(items)})", "", *items, "")


def _item(change: RequirementChange) -> str:
    reason = f": {code(change.reason)}" if change.reason else ""
    return f"- **{change.id}** {change.level} {change.role}, {_step(change)}{reason}"


# --- JSON -------------------------------------------------------------------------------------------------------------


def as_plain(comparison: Comparison) -> dict[str, Any]:
    """Return the comparison as JSON values; keys may be added, never renamed."""
    return {
        "format": FORMAT,
        "worse": comparison.worse,
        "headline": headline(comparison),
        "base": _report(comparison.base),
        "head": _report(comparison.head),
        "differences": [{"what": one.what, "base": one.before, "head": one.after} for one in comparison.differences],
        "requirements": [_change(one) for one in comparison.changes],
        "still": [{"id": name, "verdict": verdict.value} for name, verdict in comparison.still],
        "latencies": [_latency(one) for one in comparison.latencies],
        "latencies_not_compared": comparison.latencies_apart,
        "margin": MARGIN,
        "error": ERROR,
    }


def _report(report: StoredReport) -> dict[str, Any]:
    return {**report.facts, "summary": report.plain.get("summary", {})}


def _change(one: RequirementChange) -> dict[str, Any]:
    return {
        "id": one.id,
        "level": one.level,
        "role": one.role,
        "change": one.change.value,
        "worse": one.change in WORSE,
        "base": one.before,
        "head": one.after,
        "reason": one.reason,
    }


def _latency(one: LatencyChange) -> dict[str, Any]:
    return {
        "requirement": one.requirement,
        "name": one.name,
        "change": one.shift.value,
        "worse": one.shift in WORSE,
        "base": one.before,
        "head": one.after,
    }
