"""Whether a worker is able to do a task."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def is_able(capabilities: Mapping[str, Any], compatibility: bytes | None) -> bool:
    """Whether each key of the task's ``compatibility`` is among the capabilities, with an equal value.

    ``compatibility`` is what is stored, as bytes. If it is not a JSON object, nobody is able.
    """
    try:
        needs = json.loads(compatibility or b"{}")
    except (ValueError, RecursionError):
        return False
    if not isinstance(needs, dict):
        return False
    return all(key in capabilities and is_equal(capabilities[key], value) for key, value in needs.items())


def is_equal(one: Any, other: Any) -> bool:  # noqa: ANN401 - any JSON values
    """Whether two values are equal as JSON: 8 is 8.0, but 1 is not true, which Python's ``==`` says."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_equal, one, other))
    return bool(one == other)
