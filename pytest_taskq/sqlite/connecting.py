"""Whoever opens a connection through ``sqlite3.connect`` is seen, whatever name the function goes by in their module.

A connection made by calling ``sqlite3.Connection`` itself is not seen, nor one of another driver: those who need to
know count the files that were opened.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from pytest_taskq.rebinding import Rebinding

if TYPE_CHECKING:
    from collections.abc import Iterator

_FACTORY = 5  # its place among the positional arguments of sqlite3.connect

real_connect = sqlite3.connect


class Listener(Protocol):
    """What is told of new connections."""

    def connection_class(self, wanted: type[sqlite3.Connection]) -> type[sqlite3.Connection]:
        """Return the class to use where ``wanted`` was asked for: that, or a class below it."""
        ...

    def opened(self, connection: sqlite3.Connection) -> None:
        """Learn of a connection that was just opened, in the thread that asked for it."""
        ...


class Connecting:
    """The stand-in for ``sqlite3.connect`` while somebody listens."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def connect(self, *arguments: Any, **options: Any) -> sqlite3.Connection:  # noqa: ANN401 - any of connect's
        """Open a connection as ``sqlite3.connect`` does, and tell whoever listens."""
        listeners = tuple(self._listeners)
        positional = len(arguments) > _FACTORY
        wanted = arguments[_FACTORY] if positional else options.get("factory", sqlite3.Connection)
        if isinstance(wanted, type) and issubclass(wanted, sqlite3.Connection):
            for listener in listeners:
                wanted = listener.connection_class(wanted)
            if positional:
                arguments = (*arguments[:_FACTORY], wanted, *arguments[_FACTORY + 1 :])
            elif wanted is not sqlite3.Connection:
                options = {**options, "factory": wanted}
        connection: sqlite3.Connection = real_connect(*arguments, **options)
        if isinstance(connection, sqlite3.Connection):
            for listener in listeners:
                listener.opened(connection)
        return connection

    @contextmanager
    def listening(self, listener: Listener) -> Iterator[None]:
        """Tell ``listener`` of every connection that is opened meanwhile; afterwards every name is what it was."""
        self._listeners.append(listener)
        try:
            _NAMES.install()
            yield
        finally:
            self._listeners.remove(listener)
            if not self._listeners:
                _NAMES.restore()


CONNECTING = Connecting()
_NAMES = Rebinding({real_connect: CONNECTING.connect}, homes=frozenset({"sqlite3", "sqlite3.dbapi2", "_sqlite3"}))
