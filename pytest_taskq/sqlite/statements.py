"""Every statement that ``sqlite3`` is about to run is told before it runs, with what it returned afterwards.

Two sources, since neither sees all. The trace callback of SQLite sees every statement, also the BEGIN of the legacy
isolation level, each row of ``executemany`` and the statements of a script; but what it raises is swallowed, so it
cannot keep a statement from running. Classes put below those that the code asked for see calls, rows and errors, and
can raise. A statement that a call announced is told once; the trace tells what no call announced.

The hook knows nothing of queues, nor of what its listener does; a listener may block.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager, suppress
from functools import cache, partial
from typing import TYPE_CHECKING, Any
from weakref import WeakSet, ref

from pytest_taskq.sqlite.connecting import CONNECTING
from pytest_taskq.statements import Statement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pytest_taskq.statements import StatementListener


class StatementHook:
    """Tells one listener at a time."""

    def __init__(self) -> None:
        self.listener: StatementListener | None = None
        self._hooked: WeakSet[HookedConnection] = WeakSet()
        self._traced: list[sqlite3.Connection] = []  # of a class that takes no weak reference

    def connection_class(self, wanted: type[sqlite3.Connection]) -> type[sqlite3.Connection]:
        """Return a class that is ``wanted`` with our methods below its own."""
        asked: Any = wanted
        return asked if issubclass(asked, HookedConnection) else _over(asked, HookedConnection)  # type: ignore[no-any-return]  # a class

    def opened(self, connection: sqlite3.Connection) -> None:
        """Trace a new connection."""
        if self.listener is None:
            return
        rows_seen = isinstance(connection, HookedConnection)
        if isinstance(connection, HookedConnection):
            self._hooked.add(connection)
            sqlite3.Connection.set_trace_callback(connection, _hooked_trace(connection))
        else:
            self._traced.append(connection)
            sqlite3.Connection.set_trace_callback(connection, partial(self._traced_only, connection))
        self.listener.opened(connection, rows_seen=rows_seen)

    def _traced_only(self, connection: sqlite3.Connection, text: str) -> None:
        if self.listener is not None:
            self.listener.begins(Statement(connection, text, stoppable=False))

    @contextmanager
    def telling(self, listener: StatementListener) -> Iterator[None]:
        """Tell ``listener`` what runs on connections that are opened meanwhile."""
        if self.listener is not None:
            raise RuntimeError("the statement hook has a listener already; leave the first `with` before another")
        self.listener = listener
        try:
            with CONNECTING.listening(self):
                yield
        finally:
            self.listener = None
            for connection in (*self._hooked, *self._traced):
                with suppress(sqlite3.ProgrammingError):  # closed, or another thread's
                    sqlite3.Connection.set_trace_callback(connection, None)
            self._hooked.clear()
            self._traced.clear()


HOOK = StatementHook()


@cache
def _over(wanted: Any, ours: type) -> Any:  # noqa: ANN401 - a class of either kind
    # Below the code's own class, so that its overrides come first and their super() calls come to ours.
    if wanted is ours.__base__:
        return ours
    return type(wanted.__name__, (wanted, ours), {"__module__": wanted.__module__})


def _hooked_trace(connection: HookedConnection) -> Callable[[str], None]:
    known = ref(connection)  # the connection holds its trace, which would keep it alive for ever

    def traced(text: str) -> None:
        traced_on = known()
        if traced_on is not None:
            traced_on.traced(text)

    return traced


class _Call:
    """A call under way on a connection: how many traces belong to what it announced."""

    __slots__ = ("each", "told")

    def __init__(self, *, each: bool) -> None:
        self.each = each  # every traced statement is one of its own
        self.told = False


class HookedConnection(sqlite3.Connection):
    """A connection whose calls are told."""

    _call: _Call | None = None
    _their_trace: Callable[[str], object] | None = None

    def traced(self, text: str) -> None:
        """Tell a statement that no call announced."""
        if self._their_trace is not None:
            self._their_trace(text)
        call, listener = self._call, HOOK.listener
        if listener is None:
            return
        if call is not None:
            if not call.each:
                return  # announced; or a BEGIN before it, or its text once more for a trigger
            implicit = text.strip().upper() in ("BEGIN", "BEGIN DEFERRED")  # takes no lock
            if implicit or not call.told:
                call.told = call.told or not implicit
                return
        listener.begins(Statement(self, text, stoppable=False))

    def announced(self, statement: Statement, run: Callable[[], Any], *, each: bool = False) -> Any:  # noqa: ANN401 - what the call returns
        """Tell ``statement`` and return what ``run`` returns, run again as often as the listener wants."""
        listener, outer = HOOK.listener, self._call
        if listener is None or outer is not None:
            return run()
        listener.begins(statement)
        while True:
            self._call = _Call(each=each)
            try:
                result = run()
            except sqlite3.Error as error:
                self._call = None
                if listener.failed(statement, error):
                    continue
                raise
            finally:
                self._call = None
            seen = (result.rowcount, result.lastrowid) if isinstance(result, sqlite3.Cursor) else None
            listener.ended(statement, seen)
            return result

    def cursor(self, factory: Any = sqlite3.Cursor) -> Any:  # noqa: ANN401 - as the base class
        """Return a cursor of a class with our methods below its own."""
        if isinstance(factory, type) and issubclass(factory, sqlite3.Cursor):
            factory = factory if issubclass(factory, HookedCursor) else _over(factory, HookedCursor)
        return super().cursor(factory)

    # The base class calls neither its own cursor() nor a cursor's execute() where Python could see it.

    def execute(self, *arguments: Any) -> Any:  # noqa: ANN401 - as the base class
        """Run one statement on a new cursor."""
        return HookedConnection.cursor(self).execute(*arguments)

    def executemany(self, *arguments: Any) -> Any:  # noqa: ANN401 - as the base class
        """Run one statement for each row of parameters on a new cursor."""
        return HookedConnection.cursor(self).executemany(*arguments)

    def executescript(self, *arguments: Any) -> Any:  # noqa: ANN401 - as the base class
        """Run a script on a new cursor."""
        return HookedConnection.cursor(self).executescript(*arguments)

    def commit(self) -> None:
        """Commit, if there is anything to commit."""
        self._end("COMMIT", super().commit)

    def rollback(self) -> None:
        """Roll back, if there is anything to roll back."""
        self._end("ROLLBACK", super().rollback)

    def __exit__(self, kind: Any, error: Any, trace: Any, /) -> Any:  # noqa: ANN401, PYI036 - as the base class
        return self._end("COMMIT" if kind is None else "ROLLBACK", partial(super().__exit__, kind, error, trace))

    def _end(self, sql: str, run: Callable[[], Any]) -> Any:  # noqa: ANN401 - what the call returns
        return self.announced(Statement(self, sql), run) if self.in_transaction else run()

    def set_trace_callback(self, trace_callback: Callable[[str], object] | None) -> None:
        """Let the code under test trace too."""
        self._their_trace = trace_callback

    def close(self) -> None:
        """Close, and say so before."""
        if HOOK.listener is not None:
            HOOK.listener.closing(self)
        super().close()


class HookedCursor(sqlite3.Cursor):
    """A cursor whose statements and rows are told."""

    def execute(self, sql: str, parameters: Any = (), /) -> Any:  # noqa: ANN401 - as the base class
        """Run one statement."""
        return self._told(
            Statement(self.connection, sql, parameters), lambda: super(HookedCursor, self).execute(sql, parameters)
        )

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> Any:  # noqa: ANN401 - as the base class
        """Run one statement for each row of parameters."""
        rows = tuple(parameters)  # an iterator could not be given again
        statement = Statement(self.connection, sql, rows)
        return self._told(statement, lambda: super(HookedCursor, self).executemany(sql, rows), each=True)

    def _told(self, statement: Statement, run: Callable[[], Any], *, each: bool = False) -> Any:  # noqa: ANN401 - self
        connection = self.connection
        if isinstance(connection, HookedConnection):
            return connection.announced(statement, run, each=each)
        return run()

    def fetchone(self) -> Any:  # noqa: ANN401 - a row
        """Return the next row."""
        row = super().fetchone()
        self._fetched(() if row is None else (row,))
        return row

    def fetchmany(self, size: int | None = None) -> list[Any]:
        """Return the next rows."""
        rows = super().fetchmany() if size is None else super().fetchmany(size)
        self._fetched(rows)
        return rows

    def fetchall(self) -> list[Any]:
        """Return the remaining rows."""
        rows = super().fetchall()
        self._fetched(rows)
        return rows

    def __next__(self) -> Any:  # noqa: ANN401 - a row
        try:
            row = super().__next__()
        except StopIteration:
            self._fetched(())
            raise
        self._fetched((row,))
        return row

    def _fetched(self, rows: Sequence[object]) -> None:
        if HOOK.listener is not None:
            HOOK.listener.fetched(self.connection, rows)
