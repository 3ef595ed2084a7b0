"""One process's record: a line before each call, a line after it, in a file that outlives the process.

A line is handed to the operating system before the call is made (and before anybody can see what it did), so the death
of the process at any moment loses nothing that happened: a call without its second line is one whose caller died.
"""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

from pytest_taskq.recording.history_file import from_plain

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_taskq.history import Operation

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)


class CallLog:
    """Appends to the file at ``path`` for one actor."""

    def __init__(self, path: str, actor: str) -> None:
        self._descriptor = os.open(path, _FLAGS, 0o600)
        self._actor = actor
        self._number = 0

    def begin(self, kind: str, **about: Any) -> int:  # noqa: ANN401 - the fields of Operation
        """Write that a call begins now and return its number."""
        self._number += 1
        self._write({"n": self._number, "kind": kind, "actor": self._actor, **about, "call": time.monotonic_ns()})
        return self._number

    def end(self, number: int, returned: int, **about: Any) -> None:  # noqa: ANN401 - the fields of Operation
        """Write that it was over at ``returned``; ``about`` is what is known now."""
        self._write({"n": number, **about, "returned": returned})

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _write(self, line: dict[str, Any]) -> None:
        os.write(self._descriptor, json.dumps(line).encode() + b"\n")


def operations_in(path: Path) -> list[Operation]:
    """Return the calls recorded in a file; a torn last line belongs to a call that was not made yet."""
    calls: dict[int, dict[str, Any]] = {}
    if not path.exists():
        return []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            fields = json.loads(line)
        except ValueError:
            continue
        calls.setdefault(fields.pop("n"), {}).update(fields)
    return [from_plain(fields) for fields in calls.values()]
