"""One actor of a run: its thread, what it was told so far, and what it is about to do."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from pytest_taskq.interleaving.baton import Baton, Holder
from pytest_taskq.interleaving.events import letter
from pytest_taskq.subject.violation import Died

if TYPE_CHECKING:
    from collections.abc import Hashable

    from pytest_taskq.interleaving.events import Event
    from pytest_taskq.interleaving.site import Driver
    from pytest_taskq.statements import Statement

_ENDS = ("COMMIT", "END", "ROLLBACK")
_LEFT = "_taskq_left"  # not a WeakSet: the collector clears weak references before it ends the coroutines it found


class Actor(Holder):
    """A worker; ``history`` is a number that stands for all that its code was told, see ``Interner``."""

    def __init__(self, baton: Baton, index: int, driver: Driver) -> None:
        super().__init__(baton, f"taskq-actor-{letter(index)}")
        self.index = index
        self.driver = driver
        self.history = 0
        self.steps = 0
        self.dying = False
        self.freed = False  # runs on without being scheduled: the run is over for it
        self.gives_up = False
        self.wakes = 0.0
        self.waited = 0.0  # virtual seconds, since its call began
        self.stoppable = False
        self.snapshot = 0
        self.unread: bool = False  # a cursor of it may have rows left
        self.dirty = False  # it ran something since it last gave the baton back
        self.met_lock = False  # what it ran last did
        self.last: Statement | None = None
        self.event: Event | None = None
        self.connections: WeakSet[Any] = WeakSet()
        self.lasting: list[Any] = []  # those that take no weak reference
        self.backends: list[int] = []  # the processes of its connections, where they have such on a server
        self._last_held: list[Any] = []  # a driver may warn of connections that end unclosed
        self.was_outside = False  # before its last answer came
        self.asked: int | None = None  # of these the one that runs its statement

    def in_transaction(self) -> bool:
        """Whether one of its connections is inside a transaction."""
        among = self.driver.in_transaction  # asked several times for each statement
        for connection in self.connections:
            if among(connection):
                return True
        return any(map(among, self.lasting))

    def released(self) -> bool:
        """Whether what it ran since it last gave the baton back may have freed a lock or shown others something."""
        if not self.dirty:
            return False
        verb = self.last.sql.lstrip().upper() if self.last is not None else ""
        return verb.startswith(_ENDS) or not self.in_transaction()

    def perish(self) -> None:
        """Raise Died if it is to end here; its connections live on until they are closed as a process's would be."""
        if self.dying:
            self._last_held = list(self.connections)
            raise Died

    def close_connections(self) -> None:
        """Close what it left open, as the kernel does for a process; called in its own thread."""
        for connection in self.connections:
            setattr(connection, _LEFT, True)
        for connection in (*self.connections, *self.lasting):
            self.driver.close(connection)
        self.driver.end(self.backends)
        self._last_held.clear()


def was_left(connection: object) -> bool:
    """Whether it belonged to an actor whose run is over."""
    return bool(getattr(connection, _LEFT, False))


class Interner:
    """Gives equal values the same number: exact where a hash could collide."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}

    def number(self, value: Hashable) -> int:
        """Return the number of ``value``; those of unequal values differ."""
        return self._numbers.setdefault(value, len(self._numbers) + 1)


def plain(value: Any) -> Hashable:  # noqa: ANN401 - whatever a driver takes or gives
    """Return a hashable value that is equal for equal parameters or rows, and tells 1 from 1.0 and from True."""
    if type(value) is str:  # most are
        return value
    if isinstance(value, dict):
        return tuple((str(key), plain(one)) for key, one in value.items())
    if isinstance(value, list | tuple | sqlite3.Row):
        return tuple(plain(one) for one in value)
    if isinstance(value, str | bytes | int | float | None):
        return value if isinstance(value, str) else (type(value).__name__, value)
    return repr(value)
