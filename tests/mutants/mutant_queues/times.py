"""How a twin writes times: whole seconds, or milliseconds; what lies between two of them is rounded up."""

from __future__ import annotations

from math import ceil, floor


class WholeSeconds:
    """Times as ``datetime('now')`` writes them."""

    now = "datetime('now')"

    def shifted(self, parameter: str) -> str:
        """Return the SQL of now moved by the modifier that ``parameter`` holds."""
        return f"datetime('now', {parameter})"

    def later(self, seconds: float) -> str:
        """Return the modifier of a moment that is never early."""
        return f"+{ceil(seconds * 1000) / 1000 + (0.999 if seconds else 0):.3f} seconds"

    def earlier(self, seconds: float) -> str:
        """Return the modifier of a limit; what was stored before it is older than ``seconds``."""
        return f"-{floor(seconds)} seconds"


class Milliseconds(WholeSeconds):
    """Times with three digits of fraction."""

    now = "strftime('%Y-%m-%d %H:%M:%f', 'now')"

    def shifted(self, parameter: str) -> str:
        """Return the SQL of now moved by the modifier that ``parameter`` holds."""
        return f"strftime('%Y-%m-%d %H:%M:%f', 'now', {parameter})"

    def later(self, seconds: float) -> str:
        """Return the modifier of a moment that is never early."""
        return f"+{ceil(round(seconds * 1000, 6)) / 1000:.3f} seconds"

    def earlier(self, seconds: float) -> str:
        """Return the modifier of a limit."""
        return f"-{floor(seconds * 1000) / 1000:.3f} seconds"
