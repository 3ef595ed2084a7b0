"""What was timed, one line for each call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq.reports.terminal import Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_taskq.reports.run_report import RunReport

_ROW = "{:<7} {:<26} {:>7} {:>9} {:>9} {:>9} {:>9} {:>8}  {}"
_HEADS = ("", "call", "samples", "p50 ms", "p95 ms", "p99 ms", "target", "x floor", "verdict")


def latency_lines(report: RunReport) -> Iterator[Line]:
    """Yield the figures of every call that was timed; nothing where none was."""
    rows = [
        _row(one.requirement.id, call)
        for one in report.requirements
        for judged in one.judged
        for call in judged.finding.details.get("latency", {}).get("calls", ())
    ]
    yield from (Line(_ROW.format(*row).rstrip()) for row in [_HEADS, *rows] if rows)
    yield from (Line("") for _ in rows[:1])


def _row(requirement: str, call: dict[str, Any]) -> Sequence[object]:
    percentiles = [f"{call[name][0] * 1000:.3f}" for name in ("p50", "p95", "p99")]
    target = "-" if call["target"] is None else f"{call['target'] * 1000:g}"
    return (
        requirement,
        call["name"],
        call["samples"],
        *percentiles,
        target,
        f"{call['ratio'][0]:.1f}",
        call["verdict"],
    )
