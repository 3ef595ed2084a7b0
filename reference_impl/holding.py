"""A connection that belongs to one thread of one process, whatever the database behind it."""

from __future__ import annotations

import os
import threading
import weakref
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from .errors import QueueDatabaseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class _Process:
    """Stands for the process that made it, as long as it is the one in force: a fork puts another in its place."""


_process = _Process()


def _forked() -> None:
    global _process  # noqa: PLW0603 - asking the system for the process at every call took a fiftieth of it
    _process = _Process()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


class Closable(Protocol):
    """A driver's connection, as far as holding it goes."""

    def close(self) -> object:
        """Close it."""
        ...


Driven = TypeVar("Driven", bound=Closable)


class Held(ABC, Generic[Driven]):
    """A thread's connection and the process that opened it; closed when the thread or the database object ends."""

    __slots__ = ("__weakref__", "closed", "connection", "process")

    def __init__(self, connection: Driven) -> None:
        self.connection = connection
        self.process = _process
        self.closed = False

    @property
    def usable(self) -> bool:
        """Whether this process may go on with it."""
        return self.process is _process and not self.closed

    def refuse_if_forked(self) -> None:
        """Raise if this process is a child of the one whose transaction it is in."""
        if self.process is not _process:
            raise QueueDatabaseError(
                "this process was forked inside the transaction, which belongs to its parent; "
                "fork outside, or leave the child with os._exit()"
            )

    @abstractmethod
    def is_in_transaction(self) -> bool:
        """Whether a transaction is open on it, by whomever."""

    @abstractmethod
    def roll_back(self) -> None:
        """Undo what is open; a connection that cannot even do that is closed, which undoes it too."""

    def lent(self, *, inside: bool) -> Iterator[Driven]:
        """Yield it once, for reads; ``inside``: in a transaction of the thread's own, which goes on afterwards."""
        try:
            yield self.connection
        finally:
            left_open = not inside and self.is_in_transaction()
            if left_open:
                self.roll_back()
        if left_open:
            raise QueueDatabaseError(
                "a transaction was begun on connection() and never committed, so it was rolled back; "
                "write inside transaction()"
            )

    def close(self) -> None:
        """Close it, or leave it alone if it was inherited."""
        if self.closed:
            return
        self.closed = True
        if self.process is _process:
            self.connection.close()
        else:
            _abandon(self.connection)

    def __del__(self) -> None:
        self.close()


AnyHeld = TypeVar("AnyHeld", bound=Held)  # type: ignore[type-arg] # of whatever driver


class PerThread(Generic[AnyHeld]):
    """The connections of all threads, one each, opened on first use."""

    def __init__(self) -> None:
        self._mine = threading.local()
        self._all: weakref.WeakValueDictionary[int, AnyHeld] = weakref.WeakValueDictionary()

    def get(self, opened: Callable[[], AnyHeld]) -> AnyHeld:
        """Return this thread's; if it has none that it may use, what ``opened`` returns."""
        try:
            held: AnyHeld = self._mine.held
        except AttributeError:
            return self._new(opened)
        return held if held.process is _process and not held.closed else self._new(opened)

    def _new(self, opened: Callable[[], AnyHeld]) -> AnyHeld:
        held = self._mine.held = opened()
        self._all[id(held)] = held
        return held

    def close(self) -> None:
        """Close those of all threads."""
        for reference in self._all.valuerefs():
            held = reference()
            if held is not None:
                held.close()


def _abandon(connection: object) -> None:
    """Leave an inherited connection alone for the life of this process.

    SQLite forbids to carry a connection over a fork: even closing it may delete the parent's WAL; and a client of a
    server would say goodbye in the parent's name. So it must never be freed, and a reference that nobody can drop is
    the one way to say so to Python.
    """
    import ctypes

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))
