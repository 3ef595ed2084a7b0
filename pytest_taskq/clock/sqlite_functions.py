"""SQLite's date functions are replaced on every connection, where SQLite's own clock is out of reach.

What a function does with its modifiers stays SQLite's: only 'now' is replaced by the virtual moment, and the call is
handed to a private connection that has the real functions.

Differences from production, all of them of this means alone:
- A connection that was open before, or made by calling ``sqlite3.Connection`` itself, keeps real time.
- Python cannot mark a function innocuous: under ``PRAGMA trusted_schema=OFF`` a DEFAULT, trigger, view, index or
  generated column that uses one is refused ("unsafe use of datetime()").
- The functions are declared deterministic, else existing indexes on ``datetime(column)`` would not compile; so an
  index on ``datetime('now')``, which SQLite refuses, is accepted.
- Two threads that use one connection at the same time without a lock can deadlock (see `sqlite_vfs`).
"""

from __future__ import annotations

import gc
import sqlite3
import threading
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakValueDictionary

from pytest_taskq.clock.in_force import IN_FORCE, ClockUnavailableError
from pytest_taskq.sqlite.connecting import CONNECTING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Value = str | bytes | int | float | None

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - only ever printed, without its zone
# Before 3.46 'utc' shifts 'now' as if it were local; since then SQLite knows that 'now' is UTC, which Z says.
_ZONE = "Z" if sqlite3.sqlite_version_info >= (3, 46, 0) else ""


class Function(NamedTuple):
    """A date function: its arity for registration, which arguments are moments, and what SQLite function it is."""

    name: str
    arity: int
    moments: slice
    same_as: str


_FUNCTIONS = (
    *(Function(name, -1, slice(0, 1), name) for name in ("date", "time", "datetime", "julianday", "unixepoch")),
    Function("strftime", -1, slice(1, 2), "strftime"),
    Function("timediff", 2, slice(0, 2), "timediff"),
    Function("current_date", 0, slice(0, 1), "date"),
    Function("current_time", 0, slice(0, 1), "time"),
    Function("current_timestamp", 0, slice(0, 1), "datetime"),
)


class _Private(sqlite3.Connection):
    """A connection with SQLite's own functions; it closes with its thread, unclosed ones are warned of by 3.13."""

    def __del__(self) -> None:
        self.close()


class _PerThread(threading.local):
    """The private connection of the running thread: threads would queue for a shared one."""

    connection: _Private | None = None


_PER_THREAD = _PerThread()


def _original(statement: str, arguments: tuple[Value, ...] = ()) -> Value:
    """Return the value of ``statement`` by SQLite's own functions."""
    if _PER_THREAD.connection is None:
        _PER_THREAD.connection = _Private(":memory:", check_same_thread=False)
    value: Value = _PER_THREAD.connection.execute(statement, arguments).fetchone()[0]
    return value


def _moment() -> str:
    now = IN_FORCE.milliseconds()
    if now is None:
        return "now"
    return _as_text(now)


@lru_cache(maxsize=8)
def _as_text(milliseconds: int) -> str:
    text = (_EPOCH + timedelta(milliseconds=milliseconds)).isoformat(" ", "milliseconds")
    # A quarter of a millisecond more: older releases cut seconds * 1000 off where newer ones round, and a product
    # like 1.001 * 1000 lies below its integer in binary.
    return f"{text}25{_ZONE}"


def _word(value: Value) -> str:
    text = value.decode("latin-1") if isinstance(value, bytes) else value  # SQLite reads a blob as text, too
    return text.lower() if isinstance(text, str) else ""


def _with_virtual_moments(function: Function, arguments: tuple[Value, ...]) -> tuple[Value, ...]:
    if len(arguments) == function.moments.start:
        return (*arguments, _moment())  # an absent moment means now
    given = list(arguments)
    for position in range(*function.moments.indices(len(given))):
        word = _word(given[position])
        if word == "now":
            given[position] = _moment()
        elif word in ("subsec", "subsecond"):  # since 3.42: now, and the same word as a modifier
            given[position] = _moment()
            given += [word] if function.arity < 0 else []
    return tuple(given)


@cache
def _statement(function: str, arguments: int) -> str:
    return f"SELECT {function}({','.join('?' * arguments)})"


def _stand_in(function: Function) -> Callable[..., Value]:
    def call(*arguments: Value) -> Value:
        given = _with_virtual_moments(function, arguments)
        return _original(_statement(function.same_as, len(given)), given)

    return call


@cache
def _stand_ins() -> tuple[tuple[str, int, Callable[..., Value]], ...]:
    """Return name, arity and stand-in of every function that this SQLite has."""
    return tuple((function.name, function.arity, _stand_in(function)) for function in _FUNCTIONS if _exists(function))


def _exists(function: Function) -> bool:
    arguments = "" if function.arity < 0 else ", ".join(["'now'"] * function.moments.stop)
    try:
        _original(f"SELECT {function.same_as}({arguments})")
    except sqlite3.OperationalError:
        return False
    return True


class VirtualFunctions:
    """Puts our functions on every connection that is opened."""

    def __init__(self) -> None:
        self.seen: WeakValueDictionary[int, Callable[..., Value]] = WeakValueDictionary()

    def connection_class(self, wanted: type[sqlite3.Connection]) -> type[sqlite3.Connection]:
        """Return ``wanted``: functions go on connections of any class."""
        return wanted

    def opened(self, connection: sqlite3.Connection) -> None:
        """Let ``connection`` read the clock in force."""
        first, *rest = _stand_ins()
        # SQLite drops a connection's functions when it closes, and with this one goes its entry in `seen`.
        token: Callable[..., Value] = partial(first[2])
        for name, arity, stand_in in ((*first[:2], token), *rest):
            # Through the base class: a factory's own create_function is the team's business.
            sqlite3.Connection.create_function(connection, name, arity, stand_in, deterministic=True)
        self.seen[id(connection)] = token


_VIRTUAL_FUNCTIONS = VirtualFunctions()


def unseen_connections() -> int:
    """Count open connections that keep real time. It walks the heap: for reports."""
    return sum(1 for each in gc.get_objects() if isinstance(each, sqlite3.Connection) and _is_unseen(each))


def _is_unseen(connection: sqlite3.Connection) -> bool:
    if isinstance(connection, _Private) or id(connection) in _VIRTUAL_FUNCTIONS.seen:
        return False
    try:
        _ = connection.in_transaction
    except sqlite3.ProgrammingError:
        return False  # closed
    return True


def _prove() -> None:
    """Return if a new connection reads the virtual clock in a statement and in a DEFAULT."""
    before = (IN_FORCE.milliseconds() or 0) // 1000
    try:
        with closing(sqlite3.connect(":memory:")) as probe:
            probe.execute("CREATE TABLE probe (id INTEGER PRIMARY KEY, at DEFAULT (strftime('%s')))")
            probe.execute("INSERT INTO probe (id) VALUES (1)")
            row = probe.execute("SELECT at, strftime('%s', 'now') FROM probe").fetchone()
    except sqlite3.Error as error:
        raise ClockUnavailableError(
            f"SQLite refuses the replaced date functions ({error}), so DEFAULT (datetime('now')) could not be used",
            "A library built with SQLITE_TRUSTED_SCHEMA=0 does that; use another build of Python.",
        ) from error
    now = (IN_FORCE.milliseconds() or 0) // 1000
    if not before <= int(row[0]) <= int(row[1]) <= now:
        raise ClockUnavailableError(
            f"SQLite goes on with real time: it says {row}, the virtual clock {now}",
            "Something else replaces sqlite3.connect, or sqlite3 is not CPython's; run without it.",
        )


@contextmanager
def virtual_sqlite_time() -> Iterator[None]:
    """Let every connection that is opened from here on read the clock in force."""
    with CONNECTING.listening(_VIRTUAL_FUNCTIONS):
        _prove()
        yield
