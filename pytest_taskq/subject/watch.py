"""Runs a check in a thread of its own, so that code which never returns becomes a verdict, not a hang."""

from __future__ import annotations

import ctypes
import threading
from dataclasses import dataclass, field
from time import monotonic  # the real one, whatever stands in for it later
from typing import TYPE_CHECKING, TypeVar

from pytest_taskq.subject.violation import CallHungError, CheckAbortedError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

CALL_LIMIT = 30.0
_POLL = 0.2


@dataclass
class Progress:
    """The call that is under way and what it is part of; written by the check's thread, read by the watching one."""

    call: str = ""
    doing: str = ""
    began: float | None = None
    aborted: bool = field(default=False)

    def start(self, call: str) -> None:
        """Note that a call begins."""
        if self.aborted:
            raise CheckAbortedError
        self.call, self.began = call, monotonic()

    def end(self) -> None:
        """Note that it returned or raised."""
        self.began = None
        if self.aborted:
            raise CheckAbortedError

    def overdue(self, limit: float) -> bool:
        """Whether the call under way has taken longer than ``limit`` seconds."""
        began = self.began
        return began is not None and monotonic() - began > limit


def unseen(_doing: str) -> None:
    """Show nothing of what is being done."""


def run_watched(
    check: Callable[[], T], progress: Progress, limit: float = CALL_LIMIT, show: Callable[[str], None] = unseen
) -> T:
    """Return what ``check`` returns or raise what it raises. Raises CallHungError if one call exceeds ``limit`` s.

    ``show`` is called now and then, in the calling thread, with what is being done.

    The limit bounds a call of the adapter, not the check: it is far above what a loaded machine needs, and a call that
    exceeds it makes the finding NOT RUN, never FAIL.
    """
    outcome: list[tuple[T | None, BaseException | None]] = []

    def body() -> None:
        try:
            outcome.append((check(), None))
        except BaseException as error:  # noqa: BLE001 - handed over to the waiting thread, whatever it is
            outcome.append((None, error))

    thread = threading.Thread(target=body, name="taskq-check", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_POLL if outcome else min(_POLL, limit))
        if thread.is_alive() and progress.overdue(limit):
            progress.aborted = True
            _interrupt(thread)
            raise CallHungError(f"{progress.call} did not return within {limit:g} s")
        if thread.is_alive():
            show(progress.doing)
    result, error = outcome[0]
    if error is not None:
        raise error
    return result  # type: ignore[return-value]  # set whenever error is None


def _interrupt(thread: threading.Thread) -> None:
    # Ends a loop of Python code at its next bytecode; a call that blocks in C keeps its daemon thread until the end.
    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(CheckAbortedError))
