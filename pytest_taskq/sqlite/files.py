"""The files of a store as a process leaves them, read while the one that writes them lives on."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    Image = Mapping[str, bytes]

# The shared memory beside a WAL is an index of it: the first process that opens the files builds it anew.
REBUILT = "-shm"
_HEADER = b"SQLite format 3\0"


class StoreFiles:
    """Reads the files of a store; what it opened stays open until the ``with`` ends.

    On POSIX systems closing any descriptor of a file drops all locks that the process holds on it
    (https://sqlite.org/howtocorrupt.html, 2.2), so that a copy made the usual way would break the very transaction it
    looks at. Leave the ``with`` only when no connection to the store is open.
    """

    def __init__(self) -> None:
        self._held: dict[tuple[int, int], int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for descriptor in self._held.values():
            os.close(descriptor)
        self._held.clear()

    def image(self, folder: Path) -> Image:
        """Return the content of each file below ``folder`` by its name."""
        files = sorted(path for path in folder.rglob("*") if not path.name.endswith(REBUILT))
        return {
            path.relative_to(folder).as_posix(): content
            for path in files
            if (content := self._content(path)) is not None
        }

    def _content(self, path: Path) -> bytes | None:
        try:
            found = path.stat()
            if not stat.S_ISREG(found.st_mode):
                return None
            if os.name == "nt":  # closing drops no locks there, and an open file could not be deleted
                return path.read_bytes()
            # Opened only if this very file is not held yet: a file that was deleted and made anew is another one.
            key = (found.st_dev, found.st_ino)
            if key not in self._held:
                self._held[key] = os.open(path, os.O_RDONLY)
            return os.pread(self._held[key], os.fstat(self._held[key]).st_size, 0)
        except FileNotFoundError:  # gone since it was listed
            return None


def is_sqlite(content: bytes) -> bool:
    """Whether the content of a file is an SQLite database; an empty file is none yet."""
    return content.startswith(_HEADER)


def holds_sqlite(image: Image) -> bool:
    """Whether one of the files is an SQLite database."""
    return any(map(is_sqlite, image.values()))
