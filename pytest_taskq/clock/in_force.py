"""One place knows which virtual clock the process reads, and whether it reads one at all.

Whatever stands in for a real clock asks here on every call and answers real time when nothing is in force: a
stand-in that outlives its clock (a connection left open, a name imported meanwhile) is then merely a detour.
"""

from __future__ import annotations

from typing import Protocol


class ClockUnavailableError(RuntimeError):
    """SQLite's clock cannot be replaced by the means that were asked for: ``reason``, then what to do instead."""

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason, advice)
        self.reason = reason
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.reason}. {self.advice}"


class Reading(Protocol):
    """What a clock shows."""

    def reading(self) -> int:
        """Return milliseconds since 1970-01-01 00:00 UTC."""
        ...


class InForce:
    """The clock that the process reads; ``clock`` is None outside of every ``with VirtualClock()``."""

    __slots__ = ("clock",)

    def __init__(self) -> None:
        self.clock: Reading | None = None

    def milliseconds(self) -> int | None:
        """Return virtual milliseconds since the epoch, or None where real time holds."""
        clock = self.clock  # read once: another thread may end the clock between two reads
        return None if clock is None else clock.reading()


IN_FORCE = InForce()
