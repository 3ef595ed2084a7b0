"""Lines for a person."""

from __future__ import annotations

from textwrap import indent, wrap
from typing import TYPE_CHECKING

from pytest_taskq.contract import Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_taskq.review.finding import Finding, Review

_WIDTH = 100
Line = tuple[str, str]


def lines(review: Review, *, verbose: bool = False) -> Iterator[Line]:
    """Yield the findings and what they come to, each line with its style; the correction once for each rule."""
    explained: set[str] = set()
    for finding in review.findings:
        yield from finding_lines(finding, is_first=finding.rule.id not in explained)
        explained.add(finding.rule.id)
        yield "", ""
    if verbose:
        for one in review.not_checked:
            yield f"{one.place}: not checked: {one.reason}", "dim"
    yield summary(review), "bold red" if review.at(Level.MUST) else "bold"
    if review.not_checked and not verbose:
        yield f"{_count(len(review.not_checked), 'place')} not checked; -v lists them", ""


def finding_lines(finding: Finding, *, is_first: bool) -> Iterator[Line]:
    """Yield one finding; the first of its rule with what happens in production and the corrected code."""
    rule = finding.rule
    yield (
        f"{finding.place}: {rule.id} {rule.level}: {finding.seen}",
        "bold red" if rule.level is Level.MUST else "bold yellow",
    )
    yield f"    {finding.code}", ""
    if not is_first:
        yield f"  as above; taskq explain {rule.id}" if rule.id.startswith("REV") else "  as above", "dim"
        return
    yield from ((f"  {line}", "") for line in wrap(f"{rule.text} {rule.harm}", _WIDTH, break_on_hyphens=False))
    yield "  instead, for example:", ""
    yield from ((line, "green") for line in indent(rule.right, "    ").splitlines())


def summary(review: Review) -> str:
    """Return what it came to, on one line."""
    must, should = len(review.at(Level.MUST)), len(review.at(Level.SHOULD))
    read = f"{_count(review.statements, 'statement')} in {_count(review.files, 'file')} read"
    return f"{read}: MUST {_count(must, 'finding')}, SHOULD {_count(should, 'finding')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
