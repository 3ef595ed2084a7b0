"""A review as lists of texts and numbers and back, for another process of the same version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq.review.catalogue import EVERY
from pytest_taskq.review.finding import Finding, NotChecked, Place, Review

if TYPE_CHECKING:
    Plain = list[Any]


def as_plain(review: Review) -> Plain:
    """Return the review as nested lists."""
    return [
        review.files,
        review.statements,
        [[one.rule.id, *_placed(one.place), one.seen, one.code] for one in review.findings],
        [[*_placed(one.place), one.reason] for one in review.not_checked],
    ]


def from_plain(plain: Plain) -> Review:
    """Return the review that ``as_plain`` was given."""
    files, statements, findings, not_checked = plain
    return Review(
        files,
        statements,
        tuple(Finding(EVERY[rule], Place(*place), seen, code) for rule, *place, seen, code in findings),
        tuple(NotChecked(Place(*place), reason) for *place, reason in not_checked),
    )


def _placed(place: Place) -> tuple[str, int, int]:
    return place.path, place.line, place.column
