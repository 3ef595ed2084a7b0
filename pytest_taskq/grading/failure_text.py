"""A failed requirement as its reader sees it: what is promised, what was done and seen, why it matters, what to do."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from pytest_taskq.contract import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_taskq.contract import Finding, Requirement

WIDEST = 110  # longer lines of text are hard to follow, however wide the terminal
_NARROWEST = 40
_LABEL = 11
_BETWEEN = " │ "  # the columns of a schedule


def failure_text(requirement: Requirement, finding: Finding, columns: int | None = None) -> str:
    """Return the whole text under a finding that is FAIL or NOT RUN, for a terminal of so many columns.

    Evidence keeps its lines, since their columns mean something: on a terminal a schedule is laid out for its width,
    and what is longer goes on below itself. Commands are kept as they are, since they are copied.
    """
    width = max(_NARROWEST, min(WIDEST, columns or WIDEST))
    lines = [*_paragraph("", headline(requirement), width), ""]
    if finding.verdict is Verdict.NOT_RUN:
        lines += [*_paragraph("not run", finding.reason, width), ""]
    elif not finding.evidence:
        lines += _paragraph("seen", finding.reason, width)
    lines += [*_evidence(finding, columns), ""] if finding.evidence else []
    if finding.verdict is Verdict.FAIL:
        lines += _paragraph("why", requirement.why, width)
        lines += _bullets("look at", requirement.look_at, width)
        lines += _paragraph("real bugs", ", ".join(requirement.bugs), width) if requirement.bugs else []
    lines += [f"{label:<{_LABEL}}{command}" for label, command in _commands(finding) if command]
    return "\n".join(lines)


def _evidence(finding: Finding, columns: int | None) -> list[str]:
    schedule = finding.details.get("schedule")
    if columns is None:
        return finding.evidence.splitlines()
    evidence = finding.evidence
    if schedule:
        from pytest_taskq.interleaving.columns import WIDTH, narrower

        evidence = narrower(evidence, schedule, max(columns, _NARROWEST)) if columns < WIDTH else evidence
    return [part for line in evidence.splitlines() for part in _folded(line, max(columns, _NARROWEST))]


_HANGING = re.compile(r" *\d+\.? +|[a-z][a-z ]{0,9} +(?=\S)|[ =>|]*")


def _folded(line: str, columns: int) -> list[str]:
    """Return a line in parts that fit; what goes on stands below where its text began."""
    if len(line) <= columns or _BETWEEN in line:
        return [line]
    head = _HANGING.match(line)
    indent = min(head.end() if head else 0, columns // 2)
    rest = textwrap.TextWrapper(
        columns, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )
    return rest.wrap(line) or [line]


def _commands(finding: Finding) -> Iterable[tuple[str, str]]:
    """Return what can be typed, each command on a line of its own so that it can be copied whole."""
    return (("rerun", finding.replay), ("check", finding.recheck))


def headline(requirement: Requirement) -> str:
    """Return ``ENQ-05 MUST client: text``."""
    return f"{requirement.id} {requirement.level.value} {requirement.role.value}: {requirement.text}"


def _paragraph(label: str, text: str, width: int) -> list[str]:
    first = f"{label:<{_LABEL}}" if label else ""
    return textwrap.wrap(
        text,
        width=width,
        initial_indent=first,
        subsequent_indent=" " * _LABEL,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first.rstrip()]


def _bullets(label: str, items: Iterable[str], width: int) -> list[str]:
    lines = []
    for number, item in enumerate(items):
        head = f"{label if number == 0 else '':<{_LABEL}}- "
        lines += textwrap.wrap(
            item,
            width=width,
            initial_indent=head,
            subsequent_indent=" " * len(head),
            break_long_words=False,
            break_on_hyphens=False,
        )
    return lines
