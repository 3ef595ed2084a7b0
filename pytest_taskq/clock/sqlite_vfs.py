"""SQLite's clock is replaced where SQLite asks for it: in the VFS of the very library that ``sqlite3`` runs on.

Every connection of the process follows, whenever it was opened: functions, CURRENT_TIMESTAMP, DEFAULTs, triggers.
'now' stays constant within one step of a statement, as in production.

The callback needs the GIL while SQLite holds its connection's mutex. Two threads that use *one* connection at the
same time without a lock of their own can deadlock on that, as with every Python function that SQLite calls.
"""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

from pytest_taskq.clock.in_force import IN_FORCE, ClockUnavailableError
from pytest_taskq.sqlite.library import CLOCK_TYPES, Library, Vfs, find_library, slot

if TYPE_CHECKING:
    import ctypes
    from collections.abc import Iterator

    from pytest_taskq.sqlite.library import Callback, Slot

_JULIAN_EPOCH = 210_866_760_000_000  # 1970-01-01 in milliseconds since noon, 24 November 4714 BC
_DAY = 86_400_000


def _milliseconds_clock(original: int) -> Callback:
    real = CLOCK_TYPES["xCurrentTimeInt64"](original)

    def current_time(vfs: int, out: ctypes.Array[ctypes.c_int64]) -> int:
        now = IN_FORCE.milliseconds()
        if now is None:
            return int(real(vfs, out))
        out[0] = now + _JULIAN_EPOCH
        return 0

    return CLOCK_TYPES["xCurrentTimeInt64"](current_time)


def _days_clock(original: int) -> Callback:
    real = CLOCK_TYPES["xCurrentTime"](original)

    def current_time(vfs: int, out: ctypes.Array[ctypes.c_double]) -> int:
        now = IN_FORCE.milliseconds()
        if now is None:
            return int(real(vfs, out))
        out[0] = (now + _JULIAN_EPOCH) / _DAY
        return 0

    return CLOCK_TYPES["xCurrentTime"](current_time)


_MAKERS = {"xCurrentTimeInt64": _milliseconds_clock, "xCurrentTime": _days_clock}


def _clock_slot(address: int) -> Slot | None:
    field = Vfs.from_address(address).clock_field
    return slot(address, field, _MAKERS[field])


def prove() -> None:
    """Return if a fresh connection reads the virtual clock, else raise LookupError."""
    before = IN_FORCE.milliseconds() or 0
    with closing(sqlite3.Connection(":memory:")) as probe:
        row = probe.execute("SELECT round((julianday('now') - 2440587.5) * 86400000)").fetchone()
    if not before <= int(row[0]) <= (IN_FORCE.milliseconds() or 0):
        raise LookupError("was changed, but sqlite3 went on with real time: it runs on another copy of SQLite")


def _reached() -> Library:
    library, why_not = find_library()
    if library is None:
        raise ClockUnavailableError(
            f"SQLite's clock cannot be replaced through its VFS ({why_not})",
            "Its own time would run on beside the virtual one. Use VirtualClock(means='functions'), or 'auto', which "
            "falls back to it.",
        )
    return library


@contextmanager
def virtual_sqlite_time() -> Iterator[None]:
    """Let SQLite read the clock in force; ClockUnavailableError where its library cannot be reached."""
    library = _reached()
    with ExitStack() as stack:
        slots = (_clock_slot(address) for address in library.vfs_addresses())
        stack.enter_context(library.installed([one for one in slots if one is not None]))
        try:
            prove()
        except LookupError as error:
            raise ClockUnavailableError(f"SQLite's VFS {error}", "Use VirtualClock(means='functions').") from error
        yield
