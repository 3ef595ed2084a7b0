"""Virtual time for code under test: Python's wall clock and SQLite's, moved by hand, nothing ever sleeps."""

from __future__ import annotations

from pytest_taskq.clock.in_force import ClockUnavailableError
from pytest_taskq.clock.virtual_clock import VirtualClock

__all__ = ["ClockUnavailableError", "VirtualClock"]
