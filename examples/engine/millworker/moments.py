"""Deadlines as modifiers of SQLite's ``datetime('now', ...)``."""

from __future__ import annotations

from math import ceil, isfinite

LONGEST_LEASE = 10 * 366 * 86_400  # ten years; datetime() turns NULL past the year 9999


def later(seconds: float) -> str:
    """Return the modifier that gives the first whole second not before ``seconds`` from now.

    Stored times are cut to the second: without the 999 ms a lease of 1 s, begun at .900, would last 100 ms.
    """
    milliseconds = ceil(round(seconds * 1000, 6))
    return f"+{(milliseconds + 999 if milliseconds else 0) / 1000:.3f} seconds"


def checked_lease(value: object) -> float:
    """Return ``value`` if it is a length of a lease in seconds."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"lease_seconds must be a number, got {value!r:.100}")
    if not 0 < value <= LONGEST_LEASE or not isfinite(value):
        raise ValueError(f"lease_seconds must be more than 0 and at most {LONGEST_LEASE}, got {value!r:.100}")
    return value
