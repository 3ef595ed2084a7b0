"""SARIF 2.1.0 (OASIS), which code hosts show beside the changed lines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote

from pytest_taskq.contract import Level
from pytest_taskq.review.catalogue import EVERY

if TYPE_CHECKING:
    from pytest_taskq.review.catalogue import Rule
    from pytest_taskq.review.finding import Finding, NotChecked, Review

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Level.MUST: "error", Level.SHOULD: "warning"}


def render(review: Review) -> str:
    """Return the review as a SARIF log of one run."""
    run = {
        "tool": {"driver": {"name": "taskq review", "version": _version(), "rules": list(map(_rule, EVERY.values()))}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(one) for one in review.findings],
        "invocations": [
            {"executionSuccessful": True, "toolExecutionNotifications": [_notification(n) for n in review.not_checked]}
        ],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _version() -> str:
    from importlib.metadata import version

    return version("pytest-taskq")


def _rule(rule: Rule) -> dict[str, object]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.text},
        "fullDescription": {"text": rule.harm},
        "help": {
            "text": f"{rule.harm}\n\nInstead:\n\n{rule.right}",
            "markdown": f"{rule.harm}\n\n```python\n{rule.right}```",
        },
        "defaultConfiguration": {"level": _LEVELS[rule.level]},
    }


def _result(one: Finding) -> dict[str, object]:
    return {
        "ruleId": one.rule.id,
        "ruleIndex": list(EVERY).index(one.rule.id),
        "level": _LEVELS[one.rule.level],
        "message": {"text": f"{one.seen}. {one.rule.harm}"},
        "locations": [_location(one.place.path, one.place.line, one.place.column)],
    }


def _notification(one: NotChecked) -> dict[str, object]:
    location = _location(one.place.path, one.place.line, one.place.column)
    return {"level": "note", "message": {"text": f"not checked: {one.reason}"}, "locations": [location]}


def _location(path: str, line: int, column: int) -> dict[str, object]:
    region = {"startLine": line, "startColumn": column}
    return {"physicalLocation": {"artifactLocation": {"uri": quote(path)}, "region": region}}
