"""``badge.json``: the result in one line, in the format of shields.io's endpoint, for a page to show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq.contract import Level, Verdict

if TYPE_CHECKING:
    from pytest_taskq.reports.run_report import RunReport

NAME = "badge.json"


def badge(report: RunReport) -> dict[str, object]:
    """Return ``58/61 MUST · 3 not graded``: what was left out is in the badge too, so that it cannot be had cheaply."""
    return {"schemaVersion": 1, "label": "taskq", "message": _message(report), "color": _colour(report)}


def not_graded(report: RunReport) -> int:
    """Return how many requirements about the team's code have no verdict that says whether it keeps them."""
    open_ones = report.having(Verdict.NOT_RUN, Verdict.INCONCLUSIVE, Verdict.NOT_OFFERED)
    return len(open_ones) + len(report.not_selected) + len(report.waiting)


def _message(report: RunReport) -> str:
    count = report.summary
    if not count.graded:
        return "nothing graded"
    level, passed, graded = ("MUST", count.must_passed, count.must_graded)
    if not graded:
        level, passed, graded = ("SHOULD", count.should_passed, count.should_graded)
    left = not_graded(report)
    parts = [f"{passed}/{graded} {level}"]
    parts += [f"{count.known} known"] if count.known else []
    parts += [f"{left} not graded"] if left else []
    return " · ".join(parts)


def _colour(report: RunReport) -> str:
    broken = report.having(Verdict.FAIL, Verdict.NOT_RUN)
    if any(one.requirement.level is Level.MUST for one in broken) or not report.summary.graded:
        return "red"
    if broken or report.summary.known:
        return "orange"
    return "yellow" if not_graded(report) else "brightgreen"
