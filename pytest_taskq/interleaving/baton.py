"""Threads of which one runs at a time: the one that holds the baton."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

Waiting = Literal["ready", "blocked", "asleep", "finished"]


class Died(BaseException):
    """Raised in an actor that ends here: the process it stands for is gone."""


class StuckError(Exception):
    """An actor neither came to its next statement nor ended: it waits for something outside the database."""


class Baton:
    """Hands control to one thread and waits until it comes back; bounded by ``limit`` seconds of real time."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._back = threading.Lock()
        self._back.acquire()

    def lend(self, to: Holder) -> None:
        """Let ``to`` run until it waits again. Raises StuckError if it does not within the limit."""
        to.go.release()
        if not self._back.acquire(timeout=self._limit):
            raise StuckError

    def give_back(self) -> None:
        """Let whoever lent it go on."""
        self._back.release()


class Holder:
    """One of the threads; ``begin`` starts it, and it runs only while the baton is lent to it."""

    def __init__(self, baton: Baton, name: str) -> None:
        self.go = threading.Lock()
        self.go.acquire()
        self.waiting: Waiting = "ready"
        self._baton = baton
        self._name = name

    def begin(self, body: Callable[[], None]) -> None:
        """Start the thread; it waits for the baton before it does anything."""

        def run() -> None:
            self.go.acquire()
            try:
                body()
            finally:
                self.waiting = "finished"
                self._baton.give_back()

        threading.Thread(target=run, name=self._name, daemon=True).start()

    def wait(self, why: Waiting) -> None:
        """Give the baton back, and return when it is lent again; called in the thread itself."""
        self.waiting = why
        self._baton.give_back()
        self.go.acquire()
