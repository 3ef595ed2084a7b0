"""JSON for programs: keys may be added, not renamed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_taskq.review.finding import Review


def render(review: Review) -> str:
    """Return the review as one JSON document."""
    document = {
        "format": 1,
        "files": review.files,
        "statements": review.statements,
        "findings": [
            {
                "rule": one.rule.id,
                "level": one.rule.level.value,
                "path": one.place.path,
                "line": one.place.line,
                "column": one.place.column,
                "seen": one.seen,
                "code": one.code,
                "text": one.rule.text,
                "harm": one.rule.harm,
                "instead": one.rule.right,
            }
            for one in review.findings
        ],
        "not_checked": [
            {"path": one.place.path, "line": one.place.line, "column": one.place.column, "reason": one.reason}
            for one in review.not_checked
        ],
    }
    return json.dumps(document, indent=2) + "\n"
