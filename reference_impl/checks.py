"""What the queue accepts, checked before the database is touched; every refusal names the argument and its value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from math import ceil, isfinite
from typing import Any

LONGEST_SECONDS = 100 * 366 * 86_400  # about 100 years; SQLite's datetime() gives NULL past the year 9999
DEEPEST_NESTING = 100  # json.loads recurses: what is stored must be readable from a caller deep in its own stack
LONGEST_ERROR = 64 * 1024
_INT64 = range(-(2**63), 2**63)
_PLAIN = frozenset({str, int, bool, type(None)})  # what JSON keeps as it is, whatever the value
_TEXT = frozenset({str})
_NUMBERS = (int, float)
_ENCODED = json.JSONEncoder(allow_nan=False).encode  # json.dumps would make an encoder for every call


def text(name: str, value: object) -> str:
    """Return ``value`` if it is a non-empty text that UTF-8 can hold."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a text, got {value!r:.200}")
    if not value:
        raise ValueError(f"{name} must not be empty, got {value!r}")
    if not is_storable(value):
        raise ValueError(f"{name} holds a lone surrogate, which UTF-8 cannot store: {value!r:.200}")
    return value


def is_storable(value: str) -> bool:
    """Whether SQLite can hold the text; a lone surrogate has no UTF-8."""
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def integer(name: str, value: object, *, least: int = -(2**63)) -> int:
    """Return ``value`` if it is an integer (no bool) from ``least`` that fits a 64-bit column."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an integer, got {value!r:.200}")
    if not least <= value < 2**63:
        raise ValueError(f"{name} must be an integer from {least} to 2**63 - 1, got {_short(value)}")
    return value


def seconds(name: str, value: object, *, zero: bool) -> float:
    """Return ``value`` if it is a finite number of seconds, above zero or from zero, up to about 100 years."""
    if not isinstance(value, _NUMBERS) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number of seconds, got {value!r:.200}")
    if not (0 < value <= LONGEST_SECONDS or (zero and value == 0)):  # NaN is neither
        least = "from 0" if zero else "above 0"
        raise ValueError(f"{name} must be a number of seconds {least}, at most {LONGEST_SECONDS}, got {_short(value)}")
    return value


def row_id(value: object) -> int | None:
    """Return ``value`` if a row of this queue could have it as its id, else None."""
    if isinstance(value, int) and not isinstance(value, bool) and value in _INT64:
        return value
    return None


def json_text(name: str, value: object) -> str:
    """Return ``value`` as ASCII JSON text that decodes to an equal value; what JSON would change is refused."""
    _refuse_what_json_changes(name, value)
    try:
        return _ENCODED(value)
    except ValueError as error:
        raise ValueError(f"{name} cannot be written as JSON: {error}") from error


def json_object(name: str, value: object) -> str:
    """Return a mapping with string keys as JSON text, ``{}`` for None."""
    if value is None:
        return "{}"
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must be a mapping or None, got {value!r:.200}")
    return json_text(name, dict(value))


def mapping(name: str, value: object) -> Mapping[str, Any]:
    """Return ``value`` if it is a mapping."""
    if type(value) is not dict and not isinstance(value, Mapping):
        raise TypeError(f"{name} must be a mapping, got {value!r:.200}")
    return value


def error_text(error: object) -> str:
    """Return any error as text that can be stored: lone surrogates escaped, cut at 64 KiB. Never raises."""
    try:
        full = str(error)
    except Exception:  # noqa: BLE001 - whatever its __str__ does, the task must not stay leased because of it
        full = f"<{type(error).__name__}, whose str() failed>"
    stored = full[:LONGEST_ERROR].encode(errors="backslashreplace")
    return stored[:LONGEST_ERROR].decode(errors="ignore")


@lru_cache(maxsize=64)  # a worker asks for the same lease again and again
def later(delay: float) -> str:
    """Return the modifier that makes ``datetime('now', ...)`` the first whole second not before now + ``delay``."""
    milliseconds = ceil(delay * 1000)
    return f"+{(milliseconds + 999 if milliseconds else 0) / 1000:.3f} seconds"


def earlier(age: float) -> str:
    """Return the modifier that takes ``age`` off a time."""
    return f"-{ceil(age * 1000) / 1000:.3f} seconds"


def _refuse_what_json_changes(name: str, value: object) -> None:
    if type(value) is dict and _PLAIN.issuperset(map(type, value.values())) and _TEXT.issuperset(map(type, value)):
        return  # what most payloads are
    level: list[object] = [value]
    depth = 0
    while level:
        if depth > DEEPEST_NESTING:
            raise ValueError(f"{name} is nested deeper than {DEEPEST_NESTING} levels, or contains itself")
        level = [part for item in level for part in _parts(name, item)]
        depth += 1


def _parts(name: str, value: object) -> list[object]:
    """Return the values inside ``value``, after a look at ``value`` itself."""
    if value is None or isinstance(value, str | int):
        return []
    if isinstance(value, float):
        if not isfinite(value):
            raise ValueError(f"{name} holds {value!r}, which JSON cannot hold; store None or a text instead")
        return []
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"{name} has the key {key!r:.200}, which JSON would turn into a text; use text keys")
        return list(value.values())
    kind = type(value).__name__
    raise TypeError(f"{name} holds {value!r:.200}, a {kind}, which JSON cannot hold or would change")


def _short(value: float) -> str:
    """Return the number for an error text; an integer may have too many digits for Python to print."""
    is_long = isinstance(value, int) and abs(value) >= 10**40
    return "an integer of more than 40 digits" if is_long else repr(value)
