"""The very SQLite library that ``sqlite3`` runs on, and the pointers of its virtual file systems.

A function pointer of a VFS may be replaced while the process runs: SQLite reads it at each use. Static builds (uv's
standalone Pythons) hide the symbols that lead there; ``find_library`` says so, and whoever asked has a fallback.
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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Callback = ctypes._CFunctionType  # noqa: SLF001 - only the stubs know this name

_HAS_MILLISECONDS = 2  # the first version of sqlite3_vfs that has xCurrentTimeInt64


class Vfs(ctypes.Structure):
    """``sqlite3_vfs``: https://sqlite.org/c3ref/vfs.html. The last fields exist only as ``iVersion`` says."""

    _fields_: ClassVar = [
        ("iVersion", ctypes.c_int),
        ("szOsFile", ctypes.c_int),
        ("mxPathname", ctypes.c_int),
        *((name, ctypes.c_void_p) for name in ("pNext", "zName", "pAppData", "xOpen", "xDelete", "xAccess")),
        *((name, ctypes.c_void_p) for name in ("xFullPathname", "xDlOpen", "xDlError", "xDlSym", "xDlClose")),
        *((name, ctypes.c_void_p) for name in ("xRandomness", "xSleep", "xCurrentTime", "xGetLastError")),
        ("xCurrentTimeInt64", ctypes.c_void_p),
        *((name, ctypes.c_void_p) for name in ("xSetSystemCall", "xGetSystemCall", "xNextSystemCall")),
    ]

    @property
    def clock_field(self) -> str:
        """Name of the field by which SQLite asks for the time."""
        return "xCurrentTimeInt64" if self.iVersion >= _HAS_MILLISECONDS and self.xCurrentTimeInt64 else "xCurrentTime"


CLOCK_TYPES = {
    "xCurrentTimeInt64": ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(ctypes.c_int64)),
    "xCurrentTime": ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(ctypes.c_double)),
}
# xOpen: the VFS, the name, the sqlite3_file, the flags, where the flags in force go. The name is passed on as the
# pointer that it is: SQLite keeps parameters behind the end of the text.
OPEN_TYPE = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p
)


class Slot(NamedTuple):
    """One function pointer of one VFS, what it was and what it shall be."""

    vfs: int
    field: str
    original: int
    callback: int

    def swap(self, old: int, new: int) -> None:
        """Set the pointer to ``new`` if it is ``old``; a third value is somebody else's hook and stays."""
        vfs = Vfs.from_address(self.vfs)
        if getattr(vfs, self.field) == old:
            setattr(vfs, self.field, new)


# Never emptied: a statement on another thread may have read the pointer just before it was put back.
_CALLBACKS: dict[tuple[int, object], tuple[int, object]] = {}


def slot(vfs: int, field: str, make: Callable[[int], Callback]) -> Slot | None:
    """Return the slot that puts ``make(original)`` in the place of a pointer; None for a pointer that is not set."""
    original = getattr(Vfs.from_address(vfs), field)
    if not original:
        return None  # nothing calls it, or SQLite would crash
    if (original, make) not in _CALLBACKS:
        callback = make(original)
        _CALLBACKS[original, make] = (ctypes.cast(callback, ctypes.c_void_p).value or 0, callback)
    return Slot(vfs, field, original, _CALLBACKS[original, make][0])


class Library:
    """The SQLite library behind ``sqlite3``, by its C interface."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self.functions = library
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
    def installed(self, slots: list[Slot]) -> Iterator[None]:
        """Let the callbacks of ``slots`` stand in; on exit each pointer is what it was."""
        try:
            for one in slots:
                one.swap(one.original, one.callback)
            yield
        finally:
            registered = set(self.vfs_addresses())  # one that was unregistered meanwhile may be freed memory
            for one in reversed(slots):
                if one.vfs in registered:
                    one.swap(one.callback, one.original)

    @contextmanager
    def replaced(self, field: Callable[[Vfs], str], make: Callable[[int], Callback]) -> Iterator[None]:
        """Replace one pointer in every VFS; ``make`` gets the original and is called once for each."""
        slots = [slot(address, field(Vfs.from_address(address)), make) for address in self.vfs_addresses()]
        with self.installed([one for one in slots if one is not None]):
            yield


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


def original_of(kind: Callable[[int], Callback], pointer: int) -> Callable[..., int]:
    """Return the function behind a pointer that a callback stands in for.

    The garbage collector and the end of a generator close connections while an exception is on its way. ctypes then
    takes that exception for one of its own arguments' and does not call; made again, the call goes through.
    """
    function: Callable[..., int] = kind(pointer)

    def call(*arguments: object) -> int:
        try:
            return int(function(*arguments))
        except ctypes.ArgumentError:
            return int(function(*arguments))

    return call


_asked = 0


def _counting_clock(original: int) -> Callback:
    # The same two arguments whatever the field: only the real function looks into them.
    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    real = kind(original)

    def current_time(vfs: int, out: int) -> int:
        global _asked  # noqa: PLW0603 - one count for the process, as there is one library
        _asked += 1
        return int(real(vfs, out))

    return kind(current_time)


def _attempt(candidate: str | None, expected: tuple[str, str]) -> Library:
    library = Library(ctypes.CDLL(candidate))
    if library.identity != expected:
        raise LookupError(f"is SQLite {library.identity[0]} of another build, sqlite3 runs on {expected[0]}")
    before = _asked
    with library.replaced(lambda vfs: vfs.clock_field, _counting_clock), closing(_probe()) as probe:
        probe.execute("SELECT julianday('now')").fetchone()
    if _asked == before:
        raise LookupError("was changed, but sqlite3 did not notice: it runs on another copy of SQLite")
    return library


def _probe() -> sqlite3.Connection:
    # Not sqlite3.connect, which a clock or a statement hook may have replaced.
    return sqlite3.Connection(":memory:")


@cache
def find_library() -> tuple[Library | None, str]:
    """Return the library behind ``sqlite3``, proven by a call that it made; or None and why it is out of reach."""
    with closing(_probe()) as probe:
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
