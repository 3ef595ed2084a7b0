"""Schedules on SQLite: the store is files, its library is in this process, and a lock is waited for by asking again."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pytest_taskq.interleaving.aftermath import UnseenError
from pytest_taskq.interleaving.baton import Stillness
from pytest_taskq.interleaving.content import Content
from pytest_taskq.interleaving.opens import FileOpens
from pytest_taskq.interleaving.timeouts import Timeouts
from pytest_taskq.interleaving.waits import waits_decided_by, why_no_busy_handler
from pytest_taskq.sqlite.files import StoreFiles, is_sqlite
from pytest_taskq.sqlite.statements import HOOK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pytest_taskq.interleaving.actor import Actor, Interner
    from pytest_taskq.interleaving.baton import Holder, Watch
    from pytest_taskq.interleaving.listening import Listener
    from pytest_taskq.interleaving.site import Part
    from pytest_taskq.interleaving.stage import Stage
    from pytest_taskq.statements import Statement
    from pytest_taskq.subject import Bench, QueueUnderTest

# They set or ask what belongs to the connection alone, so that no other actor can tell when they ran.
_PRIVATE = (
    *("busy_timeout", "foreign_keys", "synchronous", "journal_mode"),
    *("cache_size", "temp_store", "mmap_size", "page_size", "wal_autocheckpoint"),
)


class SqliteDriver:
    """Python's sqlite3."""

    name = "Python's sqlite3"

    def opened(self, connection: Any, actor: int) -> int:  # noqa: ANN401 - a sqlite3.Connection
        """Return 0: there is no server."""
        del connection, actor
        return 0

    def in_transaction(self, connection: Any) -> bool:  # noqa: ANN401 - a sqlite3.Connection
        """Whether a connection is inside a transaction."""
        try:
            return bool(connection.in_transaction)
        except sqlite3.ProgrammingError:
            return False  # closed

    def close(self, connection: Any) -> None:  # noqa: ANN401 - a sqlite3.Connection
        """Close a connection, past what its class may do beside."""
        try:
            sqlite3.Connection.close(connection)
        except sqlite3.Error:
            return

    def part(self, sql: str) -> Part:
        """Return what a statement is to the schedule."""
        text = sql.lstrip().lower()
        return "nothing" if text.startswith("pragma") and text[6:].lstrip().startswith(_PRIVATE) else "step"

    def steady(self, text: str) -> str:
        """Return ``text``: SQLite speaks of nothing that has a number of its own."""
        return text

    def is_timeout(self, error: Exception) -> bool:
        """Return False: there is no server."""
        del error
        return False

    def is_accountable(self, statement: Statement) -> bool:
        """Return True: a transaction is alone with its lock, or keeps its snapshot."""
        del statement
        return True

    def seed(self, connection: Any, actor: int, step: int) -> None:  # noqa: ANN401 - a sqlite3.Connection
        """Do nothing: the chance of SQLite is the process's."""

    def end(self, backends: list[int]) -> None:
        """Return at once: what is closed is gone."""


class SqliteSite:
    """One copy of the files."""

    driver = SqliteDriver()
    lets_go = False
    by_statement = False

    def __init__(self, queue: QueueUnderTest, content: Content | None, opens: FileOpens) -> None:
        self.queue = queue
        self.place = str(queue.path.parent)
        self.content = content
        self.opaque = content is None
        self.timeouts = Timeouts() if why_no_busy_handler() else None
        self._opens = opens

    def watch(self, holder: Holder) -> Watch:
        """Return what sees that a thread sleeps in one place."""
        return Stillness(holder)

    def blockers(self, holder: Holder) -> list[int]:
        """Return nothing: SQLite never waits where it is not seen to."""
        del holder
        return []

    def has_only_read(self, actor: Actor) -> bool:
        """Return False: it keeps its snapshot."""
        del actor
        return False

    def begin_step(self) -> None:
        """Do nothing: SQLite asks the process what time it is."""

    @contextmanager
    def telling(self, listener: Listener) -> Iterator[None]:
        """Tell of statements on connections that are opened meanwhile."""
        with HOOK.telling(listener), waits_decided_by(listener):
            yield

    def check_seen(self, stage: Stage) -> None:
        """Raise UnseenError if the file was opened more often than was told."""
        unseen = self._opens.count - stage.connections
        if unseen > 0:
            raise UnseenError(
                f"{unseen} of {self._opens.count} connections to the store were not opened through sqlite3.connect, so "
                "their statements cannot be scheduled"
            )


class SqliteGround:
    """Makes each run's store of the same files."""

    def __init__(self, bench: Bench, interner: Interner) -> None:
        self._bench = bench
        self._interner = interner
        self._files: Mapping[str, bytes] = {}
        self._moment = 0

    def prepare(self, make: Callable[[QueueUnderTest], Any]) -> Any:  # noqa: ANN401 - what the scenario prepares
        """Return what ``make`` returns, and keep the files."""
        with StoreFiles() as files, self._bench.queue() as queue:
            given = make(queue)
            path, self._moment = queue.path, self._bench.clock.milliseconds
            queue.close_actor()
            self._files = files.image(path.parent)
        return given

    def steady(self, text: str) -> str:
        """Return it as it is: chance and time repeat themselves here."""
        return text

    @contextmanager
    def site(self) -> Iterator[SqliteSite]:
        """Yield a copy."""
        self._bench.clock.milliseconds = self._moment
        with self._bench.restored(self._files) as queue, FileOpens(queue.path) as opens:
            sqlite = is_sqlite(self._files.get(queue.path.name, b""))
            content = Content(queue.path, self._interner) if sqlite else None
            try:
                yield SqliteSite(queue, content, opens)
            finally:
                if content is not None:
                    content.close()
