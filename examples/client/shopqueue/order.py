"""One task as the shop asks for it, checked before the database is touched."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, isfinite
from typing import Any

LONGEST_DELAY = 10 * 366 * 86_400  # ten years; datetime() turns NULL past the year 9999
INTEGERS = range(-(2**63), 2**63)  # what an INTEGER column holds


@dataclass(frozen=True, slots=True)
class Order:
    """The arguments of one enqueue. Raises TypeError or ValueError, naming the argument, if one has no meaning."""

    type: str
    payload: Any
    priority: int = 100
    delay_seconds: float = 0.0
    max_attempts: int = 5
    idempotency_key: str | None = None
    compatibility: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        _require_text("type", self.type)
        _require_integer("priority", self.priority, least=INTEGERS.start)
        _require_integer("max_attempts", self.max_attempts, least=1)
        _require_delay(self.delay_seconds)
        if self.idempotency_key is not None:
            _require_text("idempotency_key", self.idempotency_key)
        if not isinstance(self.compatibility, Mapping | None):
            raise TypeError(f"compatibility must be a mapping or None, got {self.compatibility!r:.100}")

    def row(self) -> dict[str, str | int | None]:
        """The columns of ``task_queue`` by name; ``delay`` is a modifier for ``datetime('now', ...)``."""
        return {
            "type": self.type,
            "payload": _json("payload", self.payload),
            "priority": self.priority,
            "max_attempts": self.max_attempts,
            "compatibility": _json("compatibility", dict(self.compatibility or {})),
            "key": self.idempotency_key,
            "delay": _modifier(self.delay_seconds),
        }


def _modifier(delay_seconds: float) -> str:
    # Stored times are cut to the second; without the 999 ms the task would be due before its time.
    milliseconds = ceil(round(delay_seconds * 1000, 6))
    return f"+{(milliseconds + 999 if milliseconds else 0) / 1000:.3f} seconds"


def _json(name: str, value: object) -> str:
    """The value as JSON, if it comes back equal: tuples, bytes, NaN and keys that are no text do not."""
    try:
        text = json.dumps(value, allow_nan=False)
        back = json.loads(text)
    except RecursionError as error:
        raise ValueError(f"{name} is nested too deeply") from error
    except TypeError as error:
        raise TypeError(f"{name} is not JSON: {error}") from error
    except ValueError as error:
        raise ValueError(f"{name} is not JSON: {error}") from error
    if back != value:
        raise TypeError(f"{name} would change in JSON (a tuple, or a key that is no text?): {value!r:.100}")
    return text


def _require_text(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a text, got {value!r:.100}")
    if not value:
        raise ValueError(f"{name} must not be empty")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{name} cannot be stored as UTF-8: {value!r:.100}") from error


def _require_integer(name: str, value: object, *, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an integer, got {value!r:.100}")
    if value < least or value not in INTEGERS:
        raise ValueError(f"{name} must lie between {least} and {INTEGERS.stop - 1}, got {value:#x}")


def _require_delay(value: object) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"delay_seconds must be a number, got {value!r:.100}")
    if not 0 <= value <= LONGEST_DELAY or not isfinite(value):
        raise ValueError(f"delay_seconds must lie between 0 and {LONGEST_DELAY}, got {value!r:.100}")
