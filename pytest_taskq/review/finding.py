"""What a review says: where, by which rule, and what it did not look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_taskq.contract import Level

if TYPE_CHECKING:
    from pytest_taskq.review.catalogue import Rule


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in a source; line and column count from 1."""

    path: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Finding:
    """A breach of a rule: what was seen there, and the line of code."""

    rule: Rule
    place: Place
    seen: str
    code: str


@dataclass(frozen=True, slots=True, order=True)
class NotChecked:
    """What a review could not read, and why."""

    place: Place
    reason: str


@dataclass(frozen=True, slots=True)
class Review:
    """The outcome for some files; ``statements`` counts the SQL that was read."""

    files: int
    statements: int
    findings: tuple[Finding, ...]
    not_checked: tuple[NotChecked, ...]

    def at(self, level: Level) -> tuple[Finding, ...]:
        """The findings by rules of this level."""
        return tuple(one for one in self.findings if one.rule.level is level)

    def fails(self, *, strict: bool) -> bool:
        """Whether it fails a run: on a MUST, and under ``strict`` on a SHOULD too."""
        return bool(self.findings) if strict else bool(self.at(Level.MUST))
