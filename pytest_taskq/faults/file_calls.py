"""Every call that SQLite is about to make of its files, told before it is made and failed if the listener says so.

The library that ``sqlite3`` runs on is reached through ctypes: ``xOpen`` and ``xDelete`` of each VFS are replaced, and
each file that is opened meanwhile gets a table of methods of ours, which calls the original one. Such a file keeps the
table until it is closed; without a listener the table only passes on.
"""

from __future__ import annotations

import ctypes
import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

from pytest_taskq.sqlite.library import OPEN_TYPE, find_library, original_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_taskq.sqlite.library import Callback

Kind = Literal["open", "write", "truncate", "sync", "delete", "map"]

FULL, READONLY, CANTOPEN = 13, 8, 14
SKIPPED = -1  # a sync that is left out costs nothing, and only a power cut would tell
IOERR: dict[Kind, int] = {"write": 778, "sync": 1034, "truncate": 1546, "delete": 2570, "map": 5386, "open": CANTOPEN}
_CREATES = 0x4
_LAST_WITHOUT_MMAP = 2  # from version 3 on pages may be written through a mapping, where nobody sees it


@dataclass(frozen=True, slots=True)
class FileCall:
    """One call: of a write ``offset`` and ``data``, of a truncation the new size as ``offset``.

    ``flag``: of an open whether the file may be created, of a deletion whether the folder is synced after it.
    """

    kind: Kind
    path: str
    offset: int = 0
    data: bytes = b""
    flag: bool = False


class FileListener(Protocol):
    """What learns of the calls, in the threads that make them."""

    def before(self, call: FileCall) -> int:
        """Return 0 to let the call be made, SKIPPED to leave it out, or the SQLite code that it shall fail with."""
        ...


class _Methods(ctypes.Structure):
    """``sqlite3_io_methods``: https://sqlite.org/c3ref/io_methods.html."""

    _fields_: ClassVar = [
        ("iVersion", ctypes.c_int),
        *((name, ctypes.c_void_p) for name in ("xClose", "xRead", "xWrite", "xTruncate", "xSync", "xFileSize")),
        *((name, ctypes.c_void_p) for name in ("xLock", "xUnlock", "xCheckReservedLock", "xFileControl")),
        *((name, ctypes.c_void_p) for name in ("xSectorSize", "xDeviceCharacteristics", "xShmMap", "xShmLock")),
        *((name, ctypes.c_void_p) for name in ("xShmBarrier", "xShmUnmap", "xFetch", "xUnfetch")),
    ]


class _File(ctypes.Structure):
    """The head of ``sqlite3_file``."""

    _fields_: ClassVar = [("pMethods", ctypes.c_void_p)]


_INT, _PTR, _LONG = ctypes.c_int, ctypes.c_void_p, ctypes.c_int64
_DELETE = ctypes.CFUNCTYPE(_INT, _PTR, _PTR, _INT)
_CLOSE = ctypes.CFUNCTYPE(_INT, _PTR)
_WRITE = ctypes.CFUNCTYPE(_INT, _PTR, _PTR, _INT, _LONG)
_TRUNCATE = ctypes.CFUNCTYPE(_INT, _PTR, _LONG)
_SYNC = ctypes.CFUNCTYPE(_INT, _PTR, _INT)
_MAP = ctypes.CFUNCTYPE(_INT, _PTR, _INT, _INT, _INT, _PTR)


class _Files:
    """The listener, and the paths of open files by the address of their ``sqlite3_file``."""

    def __init__(self) -> None:
        self.listener: FileListener | None = None
        self.paths: dict[int, str] = {}

    def tell(self, call: FileCall) -> int:
        """Return the code that the listener gives; an error of its own fails the call, as nothing could raise it."""
        listener = self.listener
        try:
            return 0 if listener is None else listener.before(call)
        except Exception:  # noqa: BLE001 - ctypes would print it and go on as if nothing had been
            return IOERR[call.kind]

    def of(self, file: int) -> str:
        """Return the path of an open file, "" for one without a name."""
        return self.paths.get(file, "")


_FILES = _Files()


def _text(name: int | None) -> str:
    return os.fsdecode(ctypes.string_at(name)) if name else ""


def _opening(original: int) -> Callback:
    real = original_of(OPEN_TYPE, original)

    def x_open(vfs: int, name: int | None, file: int, flags: int, out: int | None) -> int:
        path = _text(name)
        code = _FILES.tell(FileCall("open", path, flag=bool(flags & _CREATES))) if path else 0
        if code:
            _File.from_address(file).pMethods = None  # so that SQLite does not close what was not opened
            return code
        result = real(vfs, name, file, flags, out)
        head = _File.from_address(file)
        if result == 0 and head.pMethods and _FILES.listener is not None:
            _FILES.paths[file] = path
            head.pMethods = ctypes.addressof(_table(head.pMethods).methods)
        return result

    return OPEN_TYPE(x_open)


def _deleting(original: int) -> Callback:
    real = original_of(_DELETE, original)

    def x_delete(vfs: int, name: int, sync: int) -> int:
        return _FILES.tell(FileCall("delete", _text(name), flag=bool(sync))) or real(vfs, name, sync)

    return _DELETE(x_delete)


@dataclass(frozen=True, slots=True)
class _Table:
    methods: _Methods
    callbacks: tuple[object, ...]


@cache  # for ever: an open file may hold the table
def _table(original: int) -> _Table:
    methods = _Methods()
    ctypes.memmove(ctypes.addressof(methods), original, _size_of(_Methods.from_address(original).iVersion))
    methods.iVersion = min(methods.iVersion, _LAST_WITHOUT_MMAP)
    callbacks = []
    for field, make in _METHODS.items():
        pointer = getattr(methods, field)
        if pointer:
            callbacks.append(make(pointer))
            setattr(methods, field, ctypes.cast(callbacks[-1], ctypes.c_void_p))
    return _Table(methods, tuple(callbacks))


def _size_of(version: int) -> int:
    first_absent = {1: "xShmMap", 2: "xFetch"}.get(version)
    return ctypes.sizeof(_Methods) if first_absent is None else int(getattr(_Methods, first_absent).offset)


def _closing(original: int) -> Callback:
    real = original_of(_CLOSE, original)

    def x_close(file: int) -> int:
        _FILES.paths.pop(file, None)
        return real(file)

    return _CLOSE(x_close)


def _writing(original: int) -> Callback:
    real = original_of(_WRITE, original)

    def x_write(file: int, data: int, size: int, offset: int) -> int:
        code = 0
        if _FILES.listener is not None:
            code = _FILES.tell(FileCall("write", _FILES.of(file), offset, ctypes.string_at(data, size)))
        return code or real(file, data, size, offset)

    return _WRITE(x_write)


def _truncating(original: int) -> Callback:
    real = original_of(_TRUNCATE, original)

    def x_truncate(file: int, size: int) -> int:
        return _FILES.tell(FileCall("truncate", _FILES.of(file), size)) or real(file, size)

    return _TRUNCATE(x_truncate)


def _syncing(original: int) -> Callback:
    real = original_of(_SYNC, original)

    def x_sync(file: int, flags: int) -> int:
        code = _FILES.tell(FileCall("sync", _FILES.of(file)))
        return 0 if code == SKIPPED else code or real(file, flags)

    return _SYNC(x_sync)


def _mapping(original: int) -> Callback:
    real = original_of(_MAP, original)

    def x_map(file: int, page: int, size: int, extend: int, out: int) -> int:
        code = _FILES.tell(FileCall("map", _FILES.of(file), flag=bool(extend))) if extend else 0
        return code or real(file, page, size, extend, out)

    return _MAP(x_map)


_METHODS: dict[str, Callable[[int], Callback]] = {
    "xClose": _closing,
    "xWrite": _writing,
    "xTruncate": _truncating,
    "xSync": _syncing,
    "xShmMap": _mapping,
}


def why_out_of_reach() -> str | None:
    """Return why the files of SQLite cannot be watched, None if they can."""
    library, why_not = find_library()
    return None if library is not None else f"SQLite's files cannot be watched: its library is out of reach ({why_not})"


@contextmanager
def file_calls_told(listener: FileListener) -> Iterator[None]:
    """Tell ``listener`` the calls on files that are opened meanwhile; afterwards every pointer of a VFS is as before.

    Raises RuntimeError if somebody listens already or the library is out of reach (``why_out_of_reach``).
    """
    library, why_not = find_library()
    if library is None or _FILES.listener is not None:
        raise RuntimeError(
            why_not or "the calls on files have a listener already; leave the first `with` before another"
        )
    with ExitStack() as installed:
        _FILES.listener = listener
        installed.callback(setattr, _FILES, "listener", None)
        installed.enter_context(library.replaced(lambda _: "xOpen", _opening))
        installed.enter_context(library.replaced(lambda _: "xDelete", _deleting))
        yield
