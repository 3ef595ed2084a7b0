"""Threads of which one runs at a time: the one that holds the baton.

One may also wait **outside**: for a lock in Python that another holds (``functools.cached_property`` has one before
Python 3.12), or on a server for a lock in the database. Then the baton goes to another. The one outside, once it can go
on, runs up to where it would wait; one that comes back from a server waits right there.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Waiting = Literal["ready", "blocked", "asleep", "outside", "finished"]

_SOON = 0.05  # seconds in which nearly every step is done
_LOOK = 0.004  # between two looks at a thread that is not
_STILL = 5  # looks in a row at which it neither ran nor moved


class StuckError(Exception):
    """An actor neither came to its next statement nor ended: it waits for something outside the database."""


class Watch(Protocol):
    """Looks at a thread that does not come back: first after ``soon`` seconds, then every ``pause``."""

    soon: float
    pause: float

    def lasts(self) -> bool:
        """Look once more; True if it waits outside."""
        ...

    def still(self) -> bool:
        """Whether it has not moved since; asked while it cannot come back from where it is."""
        ...


class Baton:
    """Hands control to one thread and waits until it comes back; bounded by ``limit`` seconds of real time.

    ``watch`` makes what tells whether a thread that does not come back waits outside.
    """

    def __init__(self, limit: float, watch: Callable[[Any], Watch] | None = None) -> None:
        self._limit = limit
        self._watch = watch or Stillness
        self._back = threading.Lock()
        self._back.acquire()
        self.turn = threading.Lock()  # held while it is decided whether a thread came back or waits outside

    def lend(self, to: Holder) -> None:
        """Let ``to`` run until it waits again, if only outside. Raises StuckError if it does not within the limit."""
        seen = self._watch(to)
        to.go.release()
        if self._back.acquire(timeout=seen.soon):
            return
        deadline = time.monotonic() + self._limit
        while time.monotonic() < deadline:
            if self._back.acquire(timeout=seen.pause):
                return
            if seen.lasts() and self._is_left_outside(to, seen):
                return
        raise StuckError

    def _is_left_outside(self, holder: Holder, seen: Watch) -> bool:
        with self.turn:
            if self._back.acquire(blocking=False):
                return True
            if not seen.still():
                return False
            holder.waiting = "outside"
        return True

    def settle(self, holders: Sequence[Holder]) -> None:
        """Return when none of ``holders`` that were outside is running any more."""
        deadline = time.monotonic() + self._limit
        for holder in holders:
            seen = self._watch(holder)
            while holder.waiting == "outside" and not seen.lasts():
                if time.monotonic() > deadline:
                    raise StuckError
                time.sleep(seen.pause)

    def await_one(self, holders: Sequence[Holder]) -> None:
        """Return when one of ``holders``, all of them outside, is back. Raises StuckError if none comes."""
        deadline = time.monotonic() + self._limit
        while all(holder.waiting == "outside" for holder in holders):
            if time.monotonic() > deadline:
                raise StuckError
            time.sleep(_LOOK)

    def give_back(self, holder: Holder, why: Waiting) -> None:
        """Let whoever lent it go on, unless that one gave up on ``holder`` meanwhile."""
        with self.turn:
            given_up = holder.waiting == "outside"
            holder.waiting = why
            if not given_up and self._back.locked():  # it is free once a run was disbanded
                self._back.release()


class Holder:
    """One of the threads; ``begin`` starts it, and it runs only while the baton is lent to it."""

    def __init__(self, baton: Baton, name: str) -> None:
        self.go = threading.Lock()
        self.go.acquire()
        self.waiting: Waiting = "ready"
        self.away = False
        self.thread: threading.Thread | None = None
        self._baton = baton
        self._name = name

    def begin(self, body: Callable[[], None]) -> None:
        """Start the thread; it waits for the baton before it does anything."""

        def run() -> None:
            self.go.acquire()
            try:
                body()
            finally:
                self._baton.give_back(self, "finished")

        self.thread = threading.Thread(target=run, name=self._name, daemon=True)
        self.thread.start()

    def wait(self, why: Waiting) -> None:
        """Give the baton back, and return when it is lent again; called in the thread itself."""
        self._baton.give_back(self, why)
        self.go.acquire()

    def go_away(self) -> None:
        """Note that the thread now waits for a server; it may be found to wait outside."""
        self.away = True

    def come_back(self, *, parks: bool = True) -> bool:
        """Return when the thread may run on, and whether it was found to wait outside; if not, at once.

        One that does not ``park`` runs on in any case: nobody will lend it the baton any more.
        """
        with self._baton.turn:
            self.away = False
            outside = self.waiting == "outside"
        if outside and parks:
            self.wait("ready")
        return outside


class Stillness:
    """Whether a thread sleeps in one place: it waits for something that is not the baton."""

    soon, pause = _SOON, _LOOK

    def __init__(self, holder: Holder) -> None:
        self._thread = holder.thread
        self._place: object = None
        self._looks = 0

    def lasts(self) -> bool:
        """Look once more; True after so many equal looks."""
        place = self._look()
        self._looks = self._looks + 1 if place is not None and place == self._place else 0
        self._place = place
        return self._looks >= _STILL

    def still(self) -> bool:
        """Whether it sleeps there still: what it waits for is another thread's to give."""
        return True

    def _look(self) -> object:
        if self._thread is None or self._thread.ident is None:
            return None
        frame = sys._current_frames().get(self._thread.ident)  # noqa: SLF001 - the one way to see where a thread is
        if frame is None or not _sleeps(self._thread.native_id):
            return None
        return id(frame), frame.f_lasti


def _sleeps(native_id: int | None) -> bool:
    """Whether the system says that a thread sleeps; where it does not tell, its place alone has to do."""
    try:
        stat = Path(f"/proc/self/task/{native_id}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] == "S"
