"""How often a store was opened: a connection that was not seen to be made cannot be scheduled."""

from __future__ import annotations

import ctypes
import os
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from pytest_taskq.sqlite.library import OPEN_TYPE, find_library, original_of

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from pytest_taskq.sqlite.library import Callback

_MAIN_DB = 0x100  # SQLITE_OPEN_MAIN_DB


class FileOpens:
    """Counts, inside the ``with``, how often other threads than this one open ``path`` as a database."""

    _watched: dict[bytes, FileOpens] = {}  # noqa: RUF012 - one registry for the process, as there is one library

    def __init__(self, path: Path) -> None:
        self.count = 0
        self._key = os.fsencode(os.path.realpath(path))
        self.owner = threading.get_ident()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._watched[self._key] = self
        self._stack.callback(self._watched.pop, self._key)
        library, _ = find_library()
        if library is not None:
            self._stack.enter_context(library.replaced(lambda _: "xOpen", _counting))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @classmethod
    def note(cls, name: bytes) -> None:
        """Count the opening of a database."""
        watch = cls._watched.get(os.path.realpath(name))
        if watch is not None and threading.get_ident() != watch.owner:
            watch.count += 1


def _counting(original: int) -> Callback:
    real = original_of(OPEN_TYPE, original)

    def opening(vfs: int, name: int | None, file: int, flags: int, out: int | None) -> int:
        if flags & _MAIN_DB and name:
            FileOpens.note(ctypes.string_at(name))
        return real(vfs, name, file, flags, out)

    return OPEN_TYPE(opening)
