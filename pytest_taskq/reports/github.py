"""A run in GitHub's words: annotations at the team's own lines, and the summary of the step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_taskq.contract import Level, Verdict
from pytest_taskq.reports.markdown import code, table, within
from pytest_taskq.reports.terminal import result_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_taskq.reports.run_report import RequirementReport, RunReport

# GitHub shows ten per step; the rest are for what else the step has to say.
MOST_ANNOTATIONS = 5
_WORST_FIRST = (Verdict.FAIL, Verdict.NOT_RUN, Verdict.INCONCLUSIVE, Verdict.KNOWN, Verdict.NOT_OFFERED)


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file, from 1; ``path`` is relative to the root of the repository, with slashes."""

    path: str
    line: int


def annotation_lines(report: RunReport, place_of: Callable[[RequirementReport], Place | None]) -> Iterator[str]:
    """Yield the workflow commands for what is broken, a MUST before a SHOULD; None is no place in the repository."""
    broken = report.having(Verdict.FAIL, Verdict.NOT_RUN)
    worst = sorted(broken, key=lambda one: (one.requirement.level is Level.SHOULD, one.verdict is Verdict.NOT_RUN))
    shown, more = worst[:MOST_ANNOTATIONS], len(worst) - MOST_ANNOTATIONS
    for one in shown:
        yield _annotation(one, place_of(one), more=more if one is shown[-1] else 0)


def _annotation(one: RequirementReport, place: Place | None, *, more: int) -> str:
    requirement = one.requirement
    where = {"file": place.path, "line": str(place.line)} if place else {}
    properties = {**where, "title": f"{requirement.id} {requirement.level.value} {one.verdict.value}"}
    lines = [requirement.text, one.reason, f"taskq explain {requirement.id}"]
    lines += [f"and {more} more, in the summary"] if more > 0 else []
    command = "error" if requirement.level is Level.MUST else "warning"
    spelled = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    text = _data("\n".join(lines))
    return f"::{command} {spelled}::{text}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def step_summary(report: RunReport, reasons: Sequence[str]) -> str:
    """Return the page of the step in Markdown: the result, what is not a PASS, and how to see it again."""
    return within(_summary(report, reasons))


def _summary(report: RunReport, reasons: Sequence[str]) -> Iterator[str]:
    facts = report.facts
    yield f"### taskq: {result_line(report)}"
    yield ""
    yield f"{code(facts.adapter)} on {facts.backend}, contract {facts.contract}, effort {facts.effort}"
    yield ""
    yield from (f"- exit code 1: {code(reason)}" for reason in reasons)
    yield from ("" for _ in reasons[:1])
    shown = [one for verdict in _WORST_FIRST for one in report.having(verdict)]
    if not shown:
        yield "Every requirement that was graded is PASS."
        return
    yield from table(("verdict", "requirement", "level", "role", "why"), map(_row, shown))
    yield from _replays([one for one in shown if one.decisive and one.decisive.replay])


def _row(one: RequirementReport) -> Sequence[str]:
    requirement = one.requirement
    return (one.verdict.value, requirement.id, requirement.level.value, requirement.role.value, code(one.reason))


def _replays(some: Sequence[RequirementReport]) -> Iterator[str]:
    if some:
        yield from ("<details><summary>Run them again</summary>", "", "```sh")
        yield from (line for one in some for line in _commands(one))
        yield from ("```", "", "</details>")


def _commands(one: RequirementReport) -> Iterator[str]:
    found = one.decisive
    for command, what in ((found.replay, ""), (found.recheck, ", its history")) if found else ():
        # A fence is closed by a line of backticks alone, which a command never is in one line.
        yield from [" ".join(f"{command}  # {one.requirement.id}{what}".split("\n"))] if command else []
