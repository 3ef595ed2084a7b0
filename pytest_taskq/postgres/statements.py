"""Every statement that psycopg 3 is about to send is told before it is sent, with what the server returned.

Whatever the API sends, it hands to ``Connection.wait`` as a generator not yet begun, and waits there for the answer:
also the BEGIN, COMMIT and ROLLBACK that psycopg sends by itself. So that is where statements are told, and what the
generator was made with says which. A BEGIN that psycopg puts before the first statement goes with it, and what is sent
inside a pipeline goes with the pipeline.

The hook knows nothing of queues, nor of what its listener does; a listener may block.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakSet

import psycopg
from psycopg import sql, waiting
from psycopg.pq import PipelineStatus, TransactionStatus

from pytest_taskq.postgres.server import KIT
from pytest_taskq.statements import Statement, StatementListener

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    AnyConnection = psycopg.Connection[Any] | psycopg.AsyncConnection[Any]


class ServerListener(StatementListener, Protocol):
    """What is told beside: a statement runs on the server, where it may have to wait."""

    def aside(self, statement: Statement) -> None:
        """Learn of a statement that goes with the one before or after it."""
        ...

    def unseen(self) -> None:
        """Learn that the code is given something beside the rows that are told."""
        ...

    def met(self, connection: Any) -> None:  # noqa: ANN401 - of a driver
        """Learn that a connection is used that was opened before anybody listened."""
        ...

    def sent(self, backend: int) -> None:
        """Learn that the thread now waits for a server process, the one with that id; 0 while it connects."""
        ...

    def answered(self) -> None:
        """Return when the code may go on with what the server answered, or with the error that it is."""
        ...

    def closed(self, backend: int) -> None:
        """Learn that a connection was closed, whose server process had that id."""
        ...


class PsycopgHook:
    """Tells one listener at a time of the connections that are opened meanwhile; those of the kit are left alone."""

    def __init__(self) -> None:
        self.listener: ServerListener | None = None
        self._told: WeakSet[AnyConnection] = WeakSet()

    def of(self, connection: AnyConnection) -> ServerListener | None:
        """Return who is told of ``connection``."""
        if self.listener is None or connection in self._told:
            return self.listener
        if not _is_of_kit(connection):
            self.listener.met(connection)
        return None

    def opened(self, connection: AnyConnection) -> None:
        """Tell of a new connection, and from now on of what it does."""
        if self.listener is None or _is_of_kit(connection):
            return
        self._told.add(connection)
        self.listener.opened(connection, rows_seen=True)

    @contextmanager
    def telling(self, listener: ServerListener) -> Iterator[None]:
        """Tell ``listener``; afterwards psycopg is as it was."""
        if self.listener is not None:
            raise RuntimeError("the psycopg hook has a listener already; leave the first `with` before another")
        with ExitStack() as stack:
            self.listener = listener
            stack.callback(self._told.clear)
            stack.callback(setattr, self, "listener", None)
            for owner, names in _HOOKED.items():
                for name, made in names.items():
                    real = owner.__dict__[name]
                    stack.callback(setattr, owner, name, real)
                    setattr(owner, name, made(real))
            yield


HOOK = PsycopgHook()


def _is_of_kit(connection: AnyConnection) -> bool:
    return connection.closed or connection.pgconn.parameter_status(b"application_name") == KIT.encode()


# --- in the place of psycopg's own methods ----------------------------------------------------------------------------


def _opening(real: Callable[..., None]) -> Callable[..., None]:
    def __init__(self: AnyConnection, *arguments: Any, **keywords: Any) -> None:  # noqa: N807, ANN401 - as psycopg has it
        real(self, *arguments, **keywords)
        HOOK.opened(self)

    return __init__


def _waiting(real: Callable[..., Any]) -> Callable[..., Any]:
    def wait(self: AnyConnection, gen: Any, *arguments: Any, **keywords: Any) -> Any:  # noqa: ANN401 - as psycopg has it
        listener = HOOK.of(self)
        if listener is None:
            return real(self, gen, *arguments, **keywords)
        with _Told(listener, self, gen):
            return real(self, gen, *arguments, **keywords)

    return wait


def _waiting_async(real: Callable[..., Any]) -> Callable[..., Any]:
    async def wait(self: AnyConnection, gen: Any, *arguments: Any, **keywords: Any) -> Any:  # noqa: ANN401 - as psycopg has it
        listener = HOOK.of(self)
        if listener is None:
            return await real(self, gen, *arguments, **keywords)
        with _Told(listener, self, gen):
            return await real(self, gen, *arguments, **keywords)

    return wait


def _closing(real: Callable[..., None]) -> Callable[..., None]:
    def close(self: AnyConnection) -> None:
        with _Closing(self):
            real(self)

    return close


def _closing_async(real: Callable[..., Any]) -> Callable[..., Any]:
    async def close(self: AnyConnection) -> None:
        with _Closing(self):
            await real(self)

    return close


def _connecting(real: Callable[..., Any]) -> Callable[..., Any]:
    def wait_conn(*arguments: Any, **keywords: Any) -> Any:  # noqa: ANN401 - as psycopg has it
        with _Away(HOOK.listener):
            return real(*arguments, **keywords)

    return wait_conn


def _connecting_async(real: Callable[..., Any]) -> Callable[..., Any]:
    async def wait_conn_async(*arguments: Any, **keywords: Any) -> Any:  # noqa: ANN401 - as psycopg has it
        with _Away(HOOK.listener):
            return await real(*arguments, **keywords)

    return wait_conn_async


_HOOKED: dict[Any, dict[str, Callable[[Any], Any]]] = {
    psycopg.Connection: {"__init__": _opening, "wait": _waiting, "close": _closing},
    psycopg.AsyncConnection: {"__init__": _opening, "wait": _waiting_async, "close": _closing_async},
    waiting: {"wait_conn": _connecting, "wait_conn_async": _connecting_async},
}


class _Away:
    """A wait for the server before there is a connection."""

    def __init__(self, listener: ServerListener | None) -> None:
        self._listener = listener

    def __enter__(self) -> None:
        if self._listener is not None:
            self._listener.sent(0)

    def __exit__(self, *_: object) -> None:
        if self._listener is not None:
            self._listener.answered()


class _Told:
    """One wait for the server: what is sent is told before, what came back after it."""

    def __init__(self, listener: ServerListener, connection: AnyConnection, gen: Any) -> None:  # noqa: ANN401 - a generator
        self._listener, self._connection = listener, connection
        self._cursor = gen.gi_frame.f_locals.get("self")
        self._statement = statement_of(connection, gen)
        self._alone = connection.pgconn.pipeline_status == PipelineStatus.OFF
        self._whole = self._alone and gen.__name__ in _WHOLLY_TOLD and not getattr(connection, "_notice_handlers", None)

    def __enter__(self) -> None:
        if self._statement is not None:
            if not self._whole:
                self._listener.unseen()
            (self._listener.begins if self._alone else self._listener.aside)(self._statement)
        self._listener.sent(self._connection.pgconn.backend_pid)

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._listener.answered()
        if self._statement is None:
            return
        if isinstance(error, psycopg.Error):
            self._listener.failed(self._statement, error)
        elif error is None:
            result = self._cursor.pgresult if isinstance(self._cursor, _CURSORS) else None
            if len(getattr(self._cursor, "_results", ())) > 1:
                self._listener.unseen()
            self._listener.ended(self._statement, result and (result.command_status or b"").decode())
            if result is not None and result.nfields:
                self._listener.fetched(self._connection, rows_of(result))


class _Closing:
    """The end of a connection: its server process may live on for a moment."""

    def __init__(self, connection: AnyConnection) -> None:
        self._listener = None if connection.closed else HOOK.of(connection)
        self._connection = connection
        self._backend = 0 if self._listener is None else connection.pgconn.backend_pid

    def __enter__(self) -> None:
        if self._listener is not None:
            self._listener.closing(self._connection)

    def __exit__(self, *_: object) -> None:
        if self._listener is not None and self._connection.closed:  # a pool may have taken it back instead
            self._listener.closed(self._backend)


# --- what is sent and what comes back ---------------------------------------------------------------------------------

_CURSORS = (psycopg.Cursor, psycopg.AsyncCursor)
_TRANSACTIONS = (psycopg.Transaction, psycopg.AsyncTransaction)
_CONNECTIONS = (psycopg.Connection, psycopg.AsyncConnection)
_WITH_QUERY = {
    "_execute_gen": "{}",
    "_stream_send_gen": "{}",
    "_executemany_gen_pipeline": "{}",
    "_executemany_gen_no_pipeline": "{}",
    "_start_copy_gen": "{}",
    "_declare_gen": "DECLARE a cursor FOR {}",
}
_OF_CURSORS = {"_fetch_gen": "FETCH", "_scroll_gen": "MOVE", "_close_gen": "CLOSE"}
_ENDS = {"_commit_gen": "COMMIT", "_rollback_gen": "ROLLBACK"}
# Of the rest rows are given out later, or in pieces.
_WHOLLY_TOLD = ("_execute_gen", "_enter_gen", "_exit_gen", *_ENDS)
_SET_LATER = "_set_"  # what the next BEGIN will say


def statement_of(connection: AnyConnection, gen: Any) -> Statement | None:  # noqa: ANN401 - a generator
    """Return the statement that a generator of psycopg's is to send; None if it sends none that could be told."""
    name, given = gen.__name__, gen.gi_frame.f_locals
    owner = given.get("self")
    idle = connection.pgconn.transaction_status == TransactionStatus.IDLE
    if name in _WITH_QUERY:
        query = _text(given.get("query", given.get("statement")), connection)
        return Statement(
            connection, _WITH_QUERY[name].format(query), given.get("params", given.get("params_seq")) or ()
        )
    if isinstance(owner, _TRANSACTIONS):
        return Statement(connection, _of_block(owner, given, enters=name == "_enter_gen", idle=idle))
    if isinstance(owner, _CURSORS) and name in _OF_CURSORS:
        return Statement(connection, _OF_CURSORS[name])
    if isinstance(owner, _CONNECTIONS) and not name.startswith(_SET_LATER):
        return None if name in _ENDS and idle else Statement(connection, _ENDS.get(name, name.strip("_")))
    return Statement(connection, "the statements of a pipeline") if name == "_enter_gen" else None


def _of_block(block: Any, given: dict[str, Any], *, enters: bool, idle: bool) -> str:  # noqa: ANN401 - a transaction of either kind
    """Return what the begin or the end of a ``transaction()`` block sends."""
    if enters:
        return "BEGIN" if idle else "SAVEPOINT"
    undone = given.get("exc_val") is not None or block.force_rollback
    if getattr(block, "_outer_transaction", True):
        return "ROLLBACK" if undone else "COMMIT"
    return "ROLLBACK TO SAVEPOINT" if undone else "RELEASE SAVEPOINT"


def _text(query: Any, connection: AnyConnection) -> str:  # noqa: ANN401 - as psycopg takes it
    if isinstance(query, sql.Composable):
        return query.as_string(connection)
    return bytes(query).decode(errors="replace") if isinstance(query, bytes | bytearray | memoryview) else str(query)


_INTEGERS = (20, 21, 23)
_BOOLEAN = 16


def rows_of(result: psycopg.pq.abc.PGresult) -> list[tuple[object, ...]]:
    """Return the rows of a result, numbers and truth values as such, anything else as the text that was sent."""
    kinds = [result.ftype(column) for column in range(result.nfields)]
    return [
        tuple(_value(result.get_value(row, column), kind, result.fformat(column)) for column, kind in enumerate(kinds))
        for row in range(result.ntuples)
    ]


def _value(sent: bytes | None, kind: int, form: int) -> object:
    if sent is None or form:
        return sent
    text = sent.decode(errors="replace")
    if kind == _BOOLEAN:
        return text == "t"
    return int(text) if kind in _INTEGERS else text
