"""Workflow commands: GitHub shows them beside the changed lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq.contract import Level
from pytest_taskq.review.formats.text import summary

if TYPE_CHECKING:
    from pytest_taskq.review.finding import Finding, Review

_IN_MESSAGE = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_IN_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def render(review: Review, at_most: int | None = None) -> str:
    """Return one command for each finding, those on a MUST first, ``at_most`` of them; then a line that counts all."""
    findings = sorted(review.findings, key=lambda one: one.rule.level is Level.SHOULD)
    shown = findings if at_most is None else findings[:at_most]
    left = len(findings) - len(shown)
    last = f"{summary(review)}{f' ({left} more are not annotated)' if left else ''}\n"
    return "".join(map(_command, shown)) + last


def _command(one: Finding) -> str:
    kind = "error" if one.rule.level is Level.MUST else "warning"
    place = one.place
    path = place.path.translate(_IN_PROPERTY)
    text = f"{one.seen}.\n{one.rule.harm}\n\nInstead, for example:\n{one.rule.right}".translate(_IN_MESSAGE)
    return f"::{kind} file={path},line={place.line},col={place.column},title={one.rule.id}::{text}\n"
