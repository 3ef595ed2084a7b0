"""One SQLite file, one connection per thread."""

from __future__ import annotations

import os
import random
import sqlite3
import time
import warnings
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from . import schema
from .errors import QueueDatabaseError, primary_code, translated, translation
from .holding import Held, PerThread
from .settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from types import TracebackType

Result = TypeVar("Result")

# Seconds. While one waits, the holder does some transactions in a row, which are the cheaper for it: nobody else has
# changed its pages meanwhile, and nobody takes its processor to ask. Shorter pauses made all workers slower.
PAUSE = (0.001, 0.005)
_AT_ONCE = 1  # millisecond that SQLite waits for a lock inside transaction(): once, before the pauses begin
PAGE = 2048  # bytes; a claim changes five pages by some bytes each, and the WAL is given whole pages: a fifth is saved
CACHE = 32_000  # KiB at most, taken as it is needed: what claims look at among a million tasks stays in it
# Pages of WAL after which it is written back. Under NORMAL that is the only syncing there is, so it had better be rare:
# with SQLite's own 1000 workers spend a quarter of their time on it. Where every commit is synced, a WAL that still
# grows costs a fifth more than one whose space is used again.
CHECKPOINT = {"NORMAL": 8000, "FULL": 2000, "EXTRA": 2000}
# Its own generator: a lock that is waited for must not shift the sequence of a program that seeds the global one.
_LENGTHS = random.Random()  # noqa: S311 - not a secret
_SCHEME = "sqlite:///"


class QueueDatabase:
    """The queue's database at ``path``; may be shared by any number of threads, and by processes through the file.

    ``synchronous``: with ``"NORMAL"`` what was committed survives the death of the process, and a power cut may lose
    the last commits; ``"FULL"`` and ``"EXTRA"`` survive the power cut too. OFF is out of range: it may lose the file.
    ``busy_timeout``: seconds to wait for a lock of others, 0 to 3600; then ``QueueBusyError``.

    Nothing is opened before the first use. A thread's connection is closed when the thread ends or by ``close()``,
    after which the object may be used again. A forked child opens connections of its own.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        synchronous: str = "NORMAL",
        busy_timeout: float = 5.0,
        **unknown: object,
    ) -> None:
        settings = Settings.checked(synchronous, busy_timeout, unknown)
        self.path = _checked_path(path)
        self.synchronous = settings.synchronous
        self.busy_timeout = settings.busy_timeout
        self._milliseconds = round(self.busy_timeout * 1000)
        self._threads = PerThread[_Held]()

    @classmethod
    def from_dsn(cls, dsn: str, **settings: object) -> QueueDatabase:
        """Return the database that ``sqlite:///path`` names (an absolute path makes four slashes)."""
        if not str(dsn).startswith(_SCHEME):
            raise ValueError(f"the database must be sqlite:///path (four slashes if it is absolute), got {dsn!r}")
        return cls(dsn[len(_SCHEME) :], **settings)  # type: ignore[arg-type] # the constructor checks them

    def __repr__(self) -> str:
        return f"QueueDatabase({str(self.path)!r})"

    def initialize_schema(self) -> None:
        """Create the tables that are missing; safe to call again, and from many processes at once."""
        with self.connection() as connection:
            if schema.is_complete(connection):
                return
        with self.transaction() as connection:
            schema.create(connection)

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        """Yield a connection that holds the write lock: committed at the end, rolled back on any exception.

        The lock is taken at the start (BEGIN IMMEDIATE), so that nothing read inside can be overtaken. Raises
        ``QueueBusyError`` if others hold it for longer than the busy timeout, ``QueueDatabaseError`` if this thread is
        inside a transaction already.
        """
        return _Transaction(self)

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection for reads; inside a transaction of this thread it is that one's."""
        with translated(self.path):
            held = self._held()
            inside = held.connection.in_transaction
            if not inside:
                held.wait(self._milliseconds)
            yield from held.lent(inside=inside)

    def get_connection(self) -> sqlite3.Connection:
        """Return this thread's connection. Deprecated: nothing ends what is begun on it."""
        warnings.warn(
            "get_connection() is deprecated: use transaction() for writes and connection() for reads",
            DeprecationWarning,
            stacklevel=2,
        )
        with translated(self.path):
            held = self._held()
            held.wait(self._milliseconds)
            return held.connection

    def close(self) -> None:
        """Close the connections of all threads; none of them may be inside a transaction."""
        self._threads.close()

    def write(self, statement: str, parameters: Sequence[object] | Mapping[str, object]) -> sqlite3.Cursor:
        """Run one statement that writes and returns no rows, as a transaction of its own; errors as of transaction().

        SQLite takes the write lock before it reads and commits at the end, as it would between BEGIN IMMEDIATE and
        COMMIT, which take a tenth of an enqueue. Busy is said before anything is written: in WAL a commit waits for
        nobody, and a checkpoint that cannot go on after it is silent. So to try again never stores twice.
        """
        try:
            held = self._idle()
            try:
                return held.connection.execute(statement, parameters)
            except sqlite3.OperationalError as error:
                return self._patiently(partial(held.connection.execute, statement, parameters), error)
        except sqlite3.Error as error:
            raise translation(error, self.path) from error

    def _begin(self) -> _Held:
        """Take the write lock, asking again after pauses of random length.

        SQLite's own wait sleeps ever longer, up to 100 ms, so that among busy workers the one that just had the lock
        gets it again: of 2,000 tasks one of four workers took 1,100 and another 200. It stays on for what is not ours.
        """
        held = self._idle()
        try:
            held.control("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            self._patiently(partial(held.control, "BEGIN IMMEDIATE"), error)
        return held

    def _idle(self) -> _Held:
        """Return this thread's connection, which asks for a lock once; it must not be in a transaction."""
        held = self._threads.get(self._new_held)
        if held.connection.in_transaction:
            raise QueueDatabaseError(
                "this thread is inside a transaction already, and SQLite cannot nest them; "
                "use the connection that the outer transaction() gave you"
            )
        held.wait(_AT_ONCE)
        return held

    def _held(self) -> _Held:
        return self._threads.get(self._new_held)

    def _new_held(self) -> _Held:
        return _Held(self._open(), self._milliseconds)

    def _open(self) -> sqlite3.Connection:
        """Open a connection; others that open a fresh file in the same moment are waited for.

        The switch to WAL needs the file for itself and fails at once, busy timeout or not, where waiting could be a
        deadlock. So it is tried again, after pauses of random length: equal ones would collide again.
        """
        try:
            return self._connect()
        except sqlite3.OperationalError as error:
            return self._patiently(self._connect, error)

    def _patiently(self, attempt: Callable[[], Result], refusal: sqlite3.OperationalError) -> Result:
        """Return what ``attempt`` returns once it is not busy as before; busy for the whole timeout is an error."""
        deadline = time.monotonic() + self.busy_timeout
        while primary_code(refusal) == sqlite3.SQLITE_BUSY and time.monotonic() < deadline:
            time.sleep(_LENGTHS.uniform(*PAUSE))
            try:
                return attempt()
            except sqlite3.OperationalError as error:
                refusal = error
        raise refusal

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path,
            timeout=self.busy_timeout,
            isolation_level=None,
            check_same_thread=False,  # close() closes the connections of all threads
        )
        try:
            connection.row_factory = sqlite3.Row
            connection.execute(f"PRAGMA page_size = {PAGE}")  # of a file that does not exist yet
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute(f"PRAGMA synchronous = {self.synchronous}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT[self.synchronous]}")
            connection.execute(f"PRAGMA cache_size = -{CACHE}")
            _switch_to_wal(connection, self.path)
        except BaseException:
            connection.close()
            raise
        return connection


class _Transaction:
    """What ``transaction()`` yields from. A class, because generators would cost a tenth of the whole call."""

    __slots__ = ("_db", "_held")

    def __init__(self, db: QueueDatabase) -> None:
        self._db = db

    def __enter__(self) -> sqlite3.Connection:
        try:
            held = self._held = self._db._begin()  # noqa: SLF001 - one unit with the database
        except sqlite3.Error as error:
            raise translation(error, self._db.path) from error
        return held.connection

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        held = self._held
        failure = error
        if error is None:
            try:
                held.refuse_if_forked()
                held.control("COMMIT")
            except BaseException as refused:  # noqa: BLE001 - raised below
                failure = refused
        if failure is None:
            return
        held.roll_back()
        if isinstance(failure, sqlite3.Error):
            raise translation(failure, self._db.path) from failure
        if failure is not error:
            raise failure


class _Held(Held[sqlite3.Connection]):
    """A thread's connection to the file."""

    __slots__ = ("_waits", "control")

    def __init__(self, connection: sqlite3.Connection, waits: int) -> None:
        super().__init__(connection)
        self._waits = waits
        self.control = connection.cursor().execute  # a cursor for each of BEGIN and COMMIT takes as long as they do

    def wait(self, milliseconds: int) -> None:
        """Let SQLite itself wait that long for a lock from now on."""
        if self._waits != milliseconds:
            self.connection.execute(f"PRAGMA busy_timeout = {milliseconds}")
            self._waits = milliseconds

    def is_in_transaction(self) -> bool:
        """Whether a transaction is open on it, by whomever."""
        return self.usable and self.connection.in_transaction

    def roll_back(self) -> None:
        """Undo what is open; a connection that cannot even do that is closed, which undoes it too."""
        if not self.is_in_transaction():
            return
        try:
            self.connection.execute("ROLLBACK")
        except sqlite3.Error:
            self.close()


def _switch_to_wal(connection: sqlite3.Connection, path: Path) -> None:
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise QueueDatabaseError(f"{path} cannot use WAL (its journal mode is {mode}); use a local disk")


def _checked_path(path: str | os.PathLike[str]) -> Path:
    plain = os.fspath(path)
    if not isinstance(plain, str):
        raise TypeError(f"path must be a text or a path, got {path!r}")
    if not plain or plain == ":memory:" or "\0" in plain:
        raise ValueError(f"path must name a file (an in-memory database is private to one thread), got {plain!r}")
    # A thread may open it after the process has changed its folder.
    return Path(os.path.abspath(plain))  # noqa: PTH100 - Path.absolute keeps the dots
