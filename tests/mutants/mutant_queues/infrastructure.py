"""The database team's part: two database objects that keep the contract, and others that break one clause of it."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from mutant_queues.registry import DIRECT, breaks, twin
from pytest_taskq import Promises, QueueAdapter
from pytest_taskq.reference_impl import QueueBusyError, QueueDatabaseError, QueueSchemaError

if TYPE_CHECKING:
    from collections.abc import Iterator

TASKS = """
    CREATE TABLE IF NOT EXISTS task_queue (
        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, tenant TEXT DEFAULT 'all', type VARCHAR(200) NOT NULL,
        payload TEXT NOT NULL, compatibility TEXT DEFAULT '{}', priority INT DEFAULT 100,
        status VARCHAR(20) DEFAULT 'queued', attempts INT DEFAULT 0, max_attempts INT DEFAULT 5,
        run_after_utc DATETIME DEFAULT CURRENT_TIMESTAMP, reserved_at_utc DATETIME, lease_until_utc DATETIME,
        locked_by TEXT, processing_started_utc DATETIME, finished_at_utc DATETIME, error_message TEXT,
        idempotency_key TEXT UNIQUE, created_at_utc DATETIME DEFAULT CURRENT_TIMESTAMP,
        updated_at_utc DATETIME DEFAULT CURRENT_TIMESTAMP
    )
"""
OTHERS = (
    "CREATE TABLE IF NOT EXISTS workers (worker_id TEXT PRIMARY KEY, capabilities TEXT, heartbeat_utc DATETIME)",
    """CREATE TABLE IF NOT EXISTS task_logs (
        log_id INTEGER PRIMARY KEY, task_id INTEGER REFERENCES task_queue (id) ON DELETE SET NULL,
        at_utc DATETIME DEFAULT CURRENT_TIMESTAMP, level TEXT, message TEXT, details TEXT
    )""",
    "CREATE INDEX IF NOT EXISTS tasks_of_a_tenant ON task_queue (tenant, status)",
)


def set_up(connection: sqlite3.Connection, pragmas: tuple[str, ...], patience: float) -> None:
    """Set the pragmas. The switch to WAL fails at once, busy timeout or not, while another process makes it."""
    until = time.monotonic() + patience
    for pragma in pragmas:
        while True:
            try:
                connection.execute(f"PRAGMA {pragma}")
                break
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > until:
                    raise
            time.sleep(random.uniform(0.0005, 0.003))  # noqa: S311 - equal pauses would meet again


class EachUse:
    """Opens a connection for each use and closes it at the end."""

    TABLES: ClassVar[tuple[str, ...]] = (TASKS, *OTHERS)
    PRAGMAS: ClassVar[tuple[str, ...]] = ("journal_mode = WAL", "foreign_keys = ON")
    BEGIN: ClassVar[str] = "BEGIN IMMEDIATE"

    def __init__(self, dsn: str, busy_timeout: Any = 5.0, synchronous: Any = "NORMAL") -> None:
        self.path = dsn.removeprefix("sqlite:///")
        self.busy_timeout, self.synchronous = busy_timeout, synchronous
        self.check()

    def check(self) -> None:
        waits = isinstance(self.busy_timeout, int | float) and 0 <= self.busy_timeout <= 60
        if not waits:
            raise ValueError(f"busy_timeout={self.busy_timeout!r} is not within 0..60 s")
        if self.synchronous not in ("NORMAL", "FULL"):
            raise ValueError(f"synchronous={self.synchronous!r} is neither NORMAL nor FULL")

    def kind(self, error: sqlite3.Error) -> type[QueueDatabaseError]:
        text = str(error)
        if "locked" in text:
            return QueueBusyError
        return QueueSchemaError if "no such" in text else QueueDatabaseError

    @contextmanager
    def mapped(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self.kind(error)(f"{self.path}: {error}") from error

    def open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=self.busy_timeout, isolation_level=None)
        connection.row_factory = sqlite3.Row
        set_up(connection, (*self.PRAGMAS, f"synchronous = {self.synchronous}"), self.busy_timeout)
        return connection

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        with self.mapped(), closing(self.open()) as connection:
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        with self.mapped(), closing(self.open()) as connection:
            connection.execute(self.BEGIN)
            yield connection  # closing it rolls back
            connection.execute("COMMIT")

    def initialize_schema(self) -> None:
        with self.transaction() as connection:
            for statement in self.TABLES:
                connection.execute(statement)

    def close(self) -> None:
        """Nothing stays open."""


@twin()
class Infrastructure(QueueAdapter):
    """Two settings, both checked; tables declared in other words, with a column and an index more."""

    Database: ClassVar[type[EachUse]] = EachUse

    def open_database(self, *, busy_timeout: Any = 5.0, synchronous: Any = "NORMAL") -> Any:
        return self.Database(self.dsn, busy_timeout, synchronous)


class OneForAll(EachUse):
    """One connection, and a lock that a thread holds as long as it uses it."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn, busy_timeout=0.2)
        self.turn = threading.RLock()
        self.shared: sqlite3.Connection | None = None

    def open(self) -> sqlite3.Connection:
        if self.shared is None:
            connection = sqlite3.connect(self.path, timeout=0.2, isolation_level=None, check_same_thread=False)
            connection.row_factory = sqlite3.Row
            set_up(connection, (*self.PRAGMAS, "synchronous = FULL"), 0.2)
            self.shared = connection
        return self.shared

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        with self.turn, self.mapped():
            yield self.open()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        with self.turn, self.mapped():
            connection = self.open()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                connection.rollback()
                raise

    def close(self) -> None:
        with self.turn:
            if self.shared is not None:
                self.shared.close()
            self.shared = None


@twin()
class SharedConnection(QueueAdapter):
    """No settings at all."""

    promises: ClassVar[Promises] = Promises(busy_timeout=0.2)

    def open_database(self) -> Any:
        return OneForAll(self.dsn)


# --- INF-01 -----------------------------------------------------------------------------------------------------------


@breaks("INF-01", DIRECT, r"no_such_setting=1.*refused", twin=Infrastructure)
class IgnoresUnknownSettings(Infrastructure):
    """A misspelt setting is dropped without a word."""

    def open_database(self, *, busy_timeout: Any = 5.0, synchronous: Any = "NORMAL", **_unknown: Any) -> Any:
        return self.Database(self.dsn, busy_timeout, synchronous)


@breaks("INF-01", DIRECT, r"busy_timeout='soon'|busy_timeout=-1")
class ChecksNoRange(Infrastructure):
    """Whatever it is given goes into the pragma."""

    class Database(EachUse):
        def check(self) -> None:
            """Take anything."""

        def open(self) -> sqlite3.Connection:
            connection = sqlite3.connect(self.path, isolation_level=None)
            connection.row_factory = sqlite3.Row
            for pragma in (*self.PRAGMAS, f"synchronous = {self.synchronous}", f"busy_timeout = {self.busy_timeout}"):
                connection.execute(f"PRAGMA {pragma}")
            return connection


@breaks("INF-01", DIRECT, r"busy_timeout=nan")
class ComparesWithNan(Infrastructure):
    """Asks whether the timeout is too small or too large, and NaN is neither."""

    class Database(EachUse):
        def check(self) -> None:
            if self.busy_timeout == self.busy_timeout:
                super().check()
            else:
                self.busy_timeout = 0


@breaks("INF-01", DIRECT, r"refused with name and value.*seen ValueError\('bad configuration'\)")
class RefusesWithoutTheSetting(Infrastructure):
    """Says that something is wrong and not what."""

    class Database(EachUse):
        def check(self) -> None:
            try:
                super().check()
            except ValueError:
                raise ValueError("bad configuration") from None


@breaks("INF-01", DIRECT, "the refusal of .* says what is in range")
class RefusesWithoutARange(Infrastructure):
    """Says what is wrong and not what would be right."""

    class Database(EachUse):
        def check(self) -> None:
            try:
                super().check()
            except ValueError:
                raise ValueError(
                    f"bad busy_timeout={self.busy_timeout!r} or synchronous={self.synchronous!r}"
                ) from None


# --- INF-02 -----------------------------------------------------------------------------------------------------------


@breaks("INF-02", DIRECT, "cannot be opened today")
class NeverOpens(Infrastructure):
    """Raises, whatever the file."""

    def open_database(self, *, busy_timeout: Any = 5.0, synchronous: Any = "NORMAL") -> Any:
        raise QueueDatabaseError("cannot be opened today")


@breaks("INF-02", DIRECT, "NoneType")
class OpensNothing(Infrastructure):
    """Forgets to return what it opened."""

    def open_database(self, *, busy_timeout: Any = 5.0, synchronous: Any = "NORMAL") -> Any:
        self.Database(self.dsn, busy_timeout, synchronous)


@breaks("INF-02", DIRECT, "the place that the DSN names.*no such")
class OpensAnotherFile(Infrastructure):
    """Takes the name for a folder's and puts its own file beside it."""

    class Database(EachUse):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            self.path += "ite"


@breaks("INF-02", DIRECT, "reads the one task that it wrote")
class RollsBackEverything(Infrastructure):
    """Leaves the commit to whoever closes the connection."""

    class Database(EachUse):
        @contextmanager
        def transaction(self) -> Iterator[sqlite3.Connection]:
            with self.mapped(), closing(self.open()) as connection:
                connection.execute("BEGIN IMMEDIATE")
                yield connection

        def initialize_schema(self) -> None:
            with self.connection() as connection:
                for statement in self.TABLES:
                    connection.execute(statement)


@breaks("INF-02", DIRECT, "already exists")
class CreatesOnce(Infrastructure):
    """The second process that starts finds the tables there and dies."""

    class Database(EachUse):
        TABLES = tuple(one.replace("IF NOT EXISTS ", "") for one in EachUse.TABLES)


# --- INF-03 -----------------------------------------------------------------------------------------------------------


def declaring(old: str, new: str) -> type[EachUse]:
    """Return a database whose tables differ from the right ones in one place."""
    assert old in TASKS + "".join(OTHERS)

    class Other(EachUse):
        TABLES = tuple(one.replace(old, new) for one in EachUse.TABLES)

    return Other


@breaks("INF-03", DIRECT, "max_attempts has the default 3")
class ThreeAttempts(Infrastructure):
    """A default that moved."""

    Database = declaring("max_attempts INT DEFAULT 5", "max_attempts INT DEFAULT 3")


@breaks("INF-03", DIRECT, "AUTOINCREMENT")
class GivesIdsAgain(Infrastructure):
    """The id of a deleted task names the next one."""

    Database = declaring(" AUTOINCREMENT", "")


@breaks("INF-03", DIRECT, "idempotency_key is not unique")
class TwoTasksOneKey(Infrastructure):
    """No index keeps the second task of a key out."""

    Database = declaring("idempotency_key TEXT UNIQUE", "idempotency_key TEXT")


@breaks("INF-03", DIRECT, "column task_queue.error_message is missing")
class LacksAColumn(Infrastructure):
    """A migration that was forgotten."""

    Database = declaring("error_message TEXT,", "")


@breaks("INF-03", DIRECT, "task_queue.payload accepts NULL")
class TakesNoPayload(Infrastructure):
    """A task without a payload may be stored."""

    Database = declaring("payload TEXT NOT NULL", "payload TEXT")


@breaks("INF-03", DIRECT, "does not refer to task_queue")
class LogsOfNobody(Infrastructure):
    """A log may outlive its task."""

    Database = declaring(" REFERENCES task_queue (id) ON DELETE SET NULL", "")
