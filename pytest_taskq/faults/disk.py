"""Which files a power cut may leave: pure, from the calls that SQLite made of its files.

What was synced is there. Of what was not, any part may be: each write for itself, and of a write any number of its
512-byte sectors from the first on. A file is deleted for good once its folder is synced, which SQLite asks for with
the deletion, or once a file that was touched later is synced, as journaling file systems keep that order; until then
the old file may be back, and nothing that was written to a new one of the same name is. Sectors are atomic and the disk
does not lie about a sync: what SQLite itself assumes (https://sqlite.org/atomiccommit.html, sections 2 and 9).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_taskq.faults.file_calls import FileCall

SECTOR = 512
_KEPT, _TORN = 0.5, 0.25  # of a seeded choice: writes that reached the disk, and those of them that did so in part


@dataclass(frozen=True, slots=True)
class Cut:
    """A power cut after ``made`` calls: what was chosen of the un-synced ones, and the files that it leaves."""

    made: int
    chosen: str
    files: Mapping[str, bytes]


class Disk:
    """Files by name: what is on the disk for sure, and the calls that may not have reached it."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._durable = {name: bytearray(content) for name, content in files.items()}
        self._pending: list[FileCall] = []

    @property
    def unsynced(self) -> int:
        """How many calls may not have reached the disk."""
        return len(self._pending)

    def make(self, call: FileCall) -> None:
        """Take the next call that was made."""
        if call.kind == "sync":
            self._sync(call.path)
        elif call.kind == "delete" and call.flag:
            _apply(self._durable, call)
            self._pending = [one for one in self._pending if one.path != call.path]
        elif call.kind in ("write", "truncate", "delete"):
            self._pending.append(call)

    def _sync(self, path: str) -> None:
        for call in self._pending:
            if call.path == path or call.kind == "delete":
                _apply(self._durable, call)
        self._pending = [one for one in self._pending if one.path != path and one.kind != "delete"]
        self._durable.setdefault(path, bytearray())

    def files(self, choice: Literal["all", "none"] | random.Random) -> Mapping[str, bytes]:
        """Return the files if all, none or a random part of what is not synced has reached the disk."""
        found = {name: bytearray(content) for name, content in self._durable.items()}
        resurrected: set[str] = set()
        deletions = [one for one in self._pending if one.kind == "delete"]
        durable_deletions = len(deletions) if choice == "all" else 0
        if isinstance(choice, random.Random):
            durable_deletions = choice.randint(0, len(deletions))
        for call in self._pending:
            if call.kind == "delete":
                if durable_deletions:
                    durable_deletions -= 1
                    _apply(found, call)
                else:
                    resurrected.add(call.path)
            elif call.path not in resurrected:
                _apply_part(found, call, choice)
        return {name: bytes(content) for name, content in found.items()}


def _apply(files: dict[str, bytearray], call: FileCall) -> None:
    if call.kind == "delete":
        files.pop(call.path, None)
        return
    content = files.setdefault(call.path, bytearray())
    if call.kind == "truncate":
        del content[call.offset :]
        return
    content.extend(bytes(max(0, call.offset + len(call.data) - len(content))))
    content[call.offset : call.offset + len(call.data)] = call.data


def _apply_part(files: dict[str, bytearray], call: FileCall, choice: Literal["all", "none"] | random.Random) -> None:
    if choice == "all":
        _apply(files, call)
    elif isinstance(choice, random.Random) and choice.random() < _KEPT:
        torn = call.kind == "write" and choice.random() < _TORN
        size = choice.randrange(0, len(call.data) + 1, SECTOR) if torn else len(call.data)
        _apply(files, _shortened(call, size))


def _shortened(call: FileCall, size: int) -> FileCall:
    return call if size == len(call.data) else replace(call, data=call.data[:size])


def cuts(files: Mapping[str, bytes], calls: list[FileCall], at: set[int], *, seed: int, parts: int) -> Iterator[Cut]:
    """Yield the cuts after each number of calls in ``at``: nothing un-synced kept, all of it, and ``parts`` choices."""
    disk, chance = Disk(files), random.Random(seed)  # noqa: S311 - a seeded choice is the point
    for made in range(len(calls) + 1):
        if made:
            disk.make(calls[made - 1])
        if made not in at:
            continue
        yield Cut(made, "none of it", disk.files("none"))
        if disk.unsynced:
            yield Cut(made, "all of it", disk.files("all"))
        for _ in range(parts if disk.unsynced > 1 else 0):
            yield Cut(made, "a part of it", disk.files(chance))
