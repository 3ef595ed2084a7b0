"""SQLite's clock is replaced where SQLite asks for it: in the VFS of the very library that ``sqlite3`` runs on.

Every connection of the process follows, whenever it was opened: functions, CURRENT_TIMESTAMP, DEFAULTs, triggers.
'now' stays constant within one step of a statement, as in production.

The callback needs the GIL while SQLite holds its connection's mutex. Two threads that use *one* connection at the
same time without a lock of their own can deadlock on that, as with every Python function that SQLite calls.
"""

from __future__ import annotations

import ctypes
import sqlite3
import sys
from contextlib import closing, contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from pytest_taskq.clock.in_force import IN_FORCE, ClockUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    _Callback = ctypes._CFunctionType  # noqa: SLF001 - only the stubs know this name

_JULIAN_EPOCH = 210_866_760_000_000  # 1970-01-01 in milliseconds since noon, 24 November 4714 BC
_DAY = 86_400_000
_HAS_MILLISECONDS = 2  # the first version of sqlite3_vfs that has xCurrentTimeInt64


class Vfs(ctypes.Structure):
    """The head of ``sqlite3_vfs`` (https://sqlite.org/c3ref/vfs.html), up to the clock."""

    _fields_: ClassVar = [
        ("iVersion", ctypes.c_int),
        ("szOsFile", ctypes.c_int),
        ("mxPathname", ctypes.c_int),
        *((name, ctypes.c_void_p) for name in ("pNext", "zName", "pAppData", "xOpen", "xDelete", "xAccess")),
        *((name, ctypes.c_void_p) for name in ("xFullPathname", "xDlOpen", "xDlError", "xDlSym", "xDlClose")),
        *((name, ctypes.c_void_p) for name in ("xRandomness", "xSleep", "xCurrentTime", "xGetLastError")),
        ("xCurrentTimeInt64", ctypes.c_void_p),
    ]


_Milliseconds = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(ctypes.c_int64))
_Days = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(ctypes.c_double))
# Never emptied: a statement on another thread may have read the pointer just before it was put back.
_CALLBACKS: dict[int, tuple[int, object]] = {}


def _milliseconds_clock(original: int) -> _Callback:
    real = _Milliseconds(original)

    def current_time(vfs: int, out: ctypes.Array[ctypes.c_int64]) -> int:
        now = IN_FORCE.milliseconds()
        if now is None:
            return int(real(vfs, out))
        out[0] = now + _JULIAN_EPOCH
        return 0

    return _Milliseconds(current_time)


def _days_clock(original: int) -> _Callback:
    real = _Days(original)

    def current_time(vfs: int, out: ctypes.Array[ctypes.c_double]) -> int:
        now = IN_FORCE.milliseconds()
        if now is None:
            return int(real(vfs, out))
        out[0] = (now + _JULIAN_EPOCH) / _DAY
        return 0

    return _Days(current_time)


def _callback(original: int, make: Callable[[int], _Callback]) -> int:
    if original not in _CALLBACKS:
        callback = make(original)
        _CALLBACKS[original] = (ctypes.cast(callback, ctypes.c_void_p).value or 0, callback)
    return _CALLBACKS[original][0]


class Slot(NamedTuple):
    """The pointer through which one VFS reads its clock."""

    vfs: int
    field: str
    original: int
    callback: int

    def swap(self, old: int, new: int) -> None:
        """Set the pointer to ``new`` if it is ``old``; a third value is somebody else's hook and stays."""
        vfs = Vfs.from_address(self.vfs)
        if getattr(vfs, self.field) == old:
            setattr(vfs, self.field, new)


class Library:
    """The SQLite library behind ``sqlite3``, by its C interface."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._find = library.sqlite3_vfs_find
        self._find.restype, self._find.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
        library.sqlite3_libversion.restype = library.sqlite3_sourceid.restype = ctypes.c_char_p
        self.identity = (library.sqlite3_libversion().decode(), library.sqlite3_sourceid().decode())

    def vfs_addresses(self) -> list[int]:
        """Return every registered VFS, the default one first."""
        addresses: list[int] = []
        address = self._find(None)
        while address:
            addresses.append(address)
            address = Vfs.from_address(address).pNext
        return addresses

    @contextmanager
    def virtual_time(self) -> Iterator[None]:
        """Let every VFS read the clock in force; on exit each pointer is what it was."""
        slots = [slot for address in self.vfs_addresses() if (slot := _slot(address)) is not None]
        try:
            for slot in slots:
                slot.swap(slot.original, slot.callback)
            yield
        finally:
            registered = set(self.vfs_addresses())  # one that was unregistered meanwhile may be freed memory
            for slot in slots:
                if slot.vfs in registered:
                    slot.swap(slot.callback, slot.original)


def _slot(address: int) -> Slot | None:
    vfs = Vfs.from_address(address)
    field, make = "xCurrentTime", _days_clock
    if vfs.iVersion >= _HAS_MILLISECONDS and vfs.xCurrentTimeInt64:
        field, make = "xCurrentTimeInt64", _milliseconds_clock
    original = getattr(vfs, field)
    if not original:
        return None  # nothing calls it, or SQLite would crash
    return Slot(address, field, original, _callback(original, make))


def _candidates() -> Iterator[str | None]:
    """Yield what may be that library, best first; None is the program itself."""
    extension = getattr(import_module("_sqlite3"), "__file__", None)
    if extension is not None:
        yield extension  # the loader's look-up by handle includes what the extension is linked to
        yield from map(str, Path(extension).parent.glob("sqlite3*.dll"))  # except on Windows, where it lies beside
    if sys.platform != "win32":
        yield None
    else:
        yield "sqlite3.dll"  # by its bare name Windows gives the one that is loaded
    maps = Path("/proc/self/maps")
    if maps.exists():
        mapped = {line.split(maxsplit=5)[-1] for line in maps.read_text(errors="replace").splitlines()}
        yield from sorted(path for path in mapped if "sqlite" in path and ".so" in path)
    if sys.platform == "darwin":
        yield "libsqlite3.dylib"


def _attempt(candidate: str | None, expected: tuple[str, str]) -> Library:
    library = Library(ctypes.CDLL(candidate))
    if library.identity != expected:
        raise LookupError(f"is SQLite {library.identity[0]} of another build, sqlite3 runs on {expected[0]}")
    with library.virtual_time():
        prove()
    return library


def prove() -> None:
    """Return if a fresh connection reads the virtual clock, else raise LookupError."""
    before = IN_FORCE.milliseconds() or 0
    with closing(sqlite3.Connection(":memory:")) as probe:
        row = probe.execute("SELECT round((julianday('now') - 2440587.5) * 86400000)").fetchone()
    if not before <= int(row[0]) <= (IN_FORCE.milliseconds() or 0):
        raise LookupError("was changed, but sqlite3 went on with real time: it runs on another copy of SQLite")


@cache
def _search() -> tuple[Library | None, str]:
    with closing(sqlite3.Connection(":memory:")) as probe:
        expected = (sqlite3.sqlite_version, str(probe.execute("SELECT sqlite_source_id()").fetchone()[0]))
    failures = []
    for candidate in _candidates():
        try:
            return _attempt(candidate, expected), ""
        except AttributeError:
            failures.append(f"{candidate or 'the program'} hides its symbols")
        except (OSError, LookupError, ValueError, TypeError) as error:
            failures.append(f"{candidate or 'the program'}: {error}")
    return None, "; ".join(failures) or "nothing to look into"


@contextmanager
def virtual_sqlite_time() -> Iterator[None]:
    """Let SQLite read the clock in force; ClockUnavailableError where its library cannot be reached."""
    library, why_not = _search()
    if library is None:
        raise ClockUnavailableError(
            f"SQLite's clock cannot be replaced through its VFS ({why_not})",
            "Its own time would run on beside the virtual one. Use VirtualClock(means='functions'), or 'auto', which "
            "falls back to it.",
        )
    with library.virtual_time():
        try:
            prove()
        except LookupError as error:
            raise ClockUnavailableError(f"SQLite's VFS {error}", "Use VirtualClock(means='functions').") from error
        yield
