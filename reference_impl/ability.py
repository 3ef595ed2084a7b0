"""Whether a worker is able to do a task: every key of the task's compatibility is among its capabilities, equal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class Ability:
    """One worker's capabilities, asked about the compatibility of many tasks; each different text is read once."""

    def __init__(self, capabilities: Mapping[str, Any]) -> None:
        self._capabilities = capabilities
        self._answers: dict[bytes | None, bool | None] = {}

    def suits(self, compatibility: bytes | None) -> bool | None:
        """Whether the worker satisfies it; None if it is not a JSON object, so that nobody ever will."""
        if compatibility == b"{}":
            return True
        if compatibility not in self._answers:
            self._answers[compatibility] = self._judge(compatibility)
        return self._answers[compatibility]

    def _judge(self, compatibility: bytes | None) -> bool | None:
        try:
            needs = json.loads((compatibility or b"{}").decode())
        except (ValueError, RecursionError):
            return None
        if not isinstance(needs, dict):
            return None
        has = self._capabilities
        return all(key in has and equal_as_json(value, has[key]) for key, value in needs.items())


def equal_as_json(one: object, other: object) -> bool:
    """Whether two JSON values are equal: 1 is 1.0 but not true, the order of keys does not count."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one == other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal_as_json(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal_as_json, one, other))
    if isinstance(one, str) and isinstance(other, str):
        return one == other
    return one is None and other is None
