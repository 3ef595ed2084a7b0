"""The database team's part: two database objects that keep the contract, and others that break one clause of it."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from mutant_queues.registry import DIRECT, MODEL, breaks, twin
from pytest_taskq import Promises, QueueAdapter
from pytest_taskq.reference_impl import QueueBusyError, QueueDatabase, QueueDatabaseError, QueueSchemaError, Task

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
        for pragma in (*self.PRAGMAS, f"synchronous = {self.synchronous}"):
            connection.execute(f"PRAGMA {pragma}")
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
            for pragma in (*self.PRAGMAS, "synchronous = FULL"):
                connection.execute(f"PRAGMA {pragma}")
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


@breaks("INF-02", DIRECT, "the file that the DSN names.*no such")
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


# --- INF-04 -----------------------------------------------------------------------------------------------------------


def without(pragma: str, *others: str) -> type[EachUse]:
    """Return a database whose connections lack one pragma."""
    assert pragma in EachUse.PRAGMAS

    class Other(EachUse):
        PRAGMAS = (*(one for one in EachUse.PRAGMAS if one != pragma), *others)

    return Other


@breaks("INF-04", DIRECT, "foreign_keys .* is at least 1")
class ForgetsForeignKeys(Infrastructure):
    """SQLite's own default is off."""

    Database = without("foreign_keys = ON")


@breaks("INF-04", DIRECT, "journal_mode .* is wal")
class KeepsARollbackJournal(Infrastructure):
    """Writers block readers."""

    Database = without("journal_mode = WAL", "journal_mode = DELETE")


@breaks("INF-04", DIRECT, "busy_timeout .* is at least 1")
class WaitsForNobody(Infrastructure):
    """A busy file is an error at once."""

    class Database(EachUse):
        PRAGMAS = (*EachUse.PRAGMAS, "busy_timeout = 0")


@breaks("INF-04", DIRECT, "synchronous .* is at least 1")
class NeverSyncs(Infrastructure):
    """A setting that is checked and not heeded."""

    class Database(EachUse):
        def open(self) -> sqlite3.Connection:
            connection = super().open()
            connection.execute("PRAGMA synchronous = OFF")
            return connection


@breaks("INF-04", DIRECT, "foreign_keys .* is at least 1", twin=Infrastructure)
class SetsUpTheFirstOnly(QueueAdapter):
    """The pragmas run when the schema is made, on that connection."""

    def open_database(self) -> Any:
        class Other(EachUse):
            PRAGMAS = ("journal_mode = WAL",)

            def initialize_schema(self) -> None:
                super().initialize_schema()
                with self.connection() as connection:
                    connection.execute("PRAGMA foreign_keys = ON")

        return Other(self.dsn)


# The other threads get connections that nobody set up.
@breaks("INF-04", DIRECT, "(foreign_keys|synchronous|busy_timeout) .* is at least 1", twin=Infrastructure)
class SetsUpTheMainThreadOnly(QueueAdapter):
    """A second thread gets a bare connection."""

    def open_database(self) -> Any:
        first = threading.get_ident()

        class Other(EachUse):
            @property
            def PRAGMAS(self) -> tuple[str, ...]:  # noqa: N802 - a constant elsewhere
                return EachUse.PRAGMAS if threading.get_ident() == first else ()

        return Other(self.dsn)


# --- INF-05 -----------------------------------------------------------------------------------------------------------


@breaks("INF-05", DIRECT, "TypeError: tuple indices")
class RowsWithoutNames(Infrastructure):
    """Rows are tuples."""

    class Database(EachUse):
        def open(self) -> sqlite3.Connection:
            connection = super().open()
            connection.row_factory = self.row
            return connection

        @staticmethod
        def row(cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> Any:
            names = [column[0] for column in cursor.description]
            return sqlite3.Row(cursor, values) if len(names) > 2 else values


@breaks("INF-05", DIRECT, "(locked_by|finished_at_utc) is '' in the task, None in the row")
class NullsAreEmpty(Infrastructure):
    """A row factory that spares its users the NULLs."""

    class Database(EachUse):
        def open(self) -> sqlite3.Connection:
            connection = super().open()
            connection.row_factory = self.row
            return connection

        @staticmethod
        def row(cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> Any:
            return sqlite3.Row(cursor, tuple("" if value is None else value for value in values))


SHOWN = (
    "id, type, payload, priority, compatibility, status, attempts, max_attempts, run_after_utc, reserved_at_utc, "
    "lease_until_utc, locked_by, processing_started_utc, finished_at_utc, error_message, idempotency_key, "
    "created_at_utc, updated_at_utc"
)


@twin()
class Looks(QueueAdapter):
    """get_task with the columns named."""

    COLUMNS: ClassVar[str] = SHOWN

    def get_task(self, task_id: Any) -> Any:
        with self.db.connection() as connection:
            row = connection.execute(f"SELECT {self.COLUMNS} FROM task_queue WHERE id = ?", (task_id,)).fetchone()
        return None if row is None else self.task(dict(row))

    def task(self, row: dict[str, Any]) -> Any:
        return Task(**row)


@twin()
class Scrupulous(Looks):
    """A row that no enqueue would have written is an error that says so."""

    def task(self, row: dict[str, Any]) -> Any:
        try:
            json.loads(row["payload"]), json.loads(row["compatibility"] or "")
        except ValueError as error:
            raise RuntimeError(f"task {row['id']} holds what is not JSON: {error}") from error
        return Task(**row)


@breaks("INF-05", DIRECT, "unexpected keyword argument")
class KnowsEveryColumn(Looks):
    """A column that it does not know is an error of Python's."""

    COLUMNS = "*"


@breaks("INF-05", DIRECT, "priority is 100 in the task, (None|0) in the row")
@breaks("INF-05", MODEL, "priority None")
class FillsInDefaults(Looks):
    """``or 100`` turns NULL and 0 into the default."""

    def task(self, row: dict[str, Any]) -> Any:
        return Task(**{**row, "priority": row["priority"] or 100})


@breaks("INF-05", DIRECT, "compatibility is 'None' in the task")
class WritesNoneOut(Looks):
    """``str()`` around every text."""

    def task(self, row: dict[str, Any]) -> Any:
        return Task(**{**row, "compatibility": str(row["compatibility"])})


class Lenient(Task):
    """A task that never complains."""

    __slots__ = ()

    def get_payload_dict(self) -> Any:
        try:
            return super().get_payload_dict()
        except ValueError:
            return {}


@breaks("INF-05", DIRECT, r"get_payload_dict\(\) returns \{\}, stored is 'not JSON")
class DecodesToNothing(Looks):
    """``except ValueError: return {}``."""

    def task(self, row: dict[str, Any]) -> Any:
        return Lenient(**row)


class Truthy(Task):
    """A task that takes what is false for nothing."""

    __slots__ = ()

    def get_payload_dict(self) -> Any:
        return super().get_payload_dict() or {}


@breaks("INF-05", DIRECT, r"get_payload_dict\(\) returns \{\}, stored is 'null'")
class FalseIsNothing(Looks):
    """``json.loads(...) or {}``."""

    def task(self, row: dict[str, Any]) -> Any:
        return Truthy(**row)


@breaks("INF-05", DIRECT, "TypeError")
class AddsToNull(QueueAdapter):
    """A claim that computes with what it read and never thought of NULL."""

    def claim_task(self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float) -> Any:
        with self.db.connection() as connection:
            for row in connection.execute("SELECT attempts, max_attempts FROM task_queue WHERE status = 'queued'"):
                if row["attempts"] + 1 > row["max_attempts"]:
                    return None
        return self.reference.claim_task(worker_id, capabilities, lease_seconds)


# --- INF-08 -----------------------------------------------------------------------------------------------------------


@breaks("INF-08", DIRECT, r"raises OperationalError|raises IntegrityError")
class PassesTheDriversErrors(Infrastructure):
    """Every team catches sqlite3.Error itself, or does not."""

    class Database(EachUse):
        @contextmanager
        def mapped(self) -> Iterator[None]:
            yield


@breaks("INF-08", DIRECT, "with no cause")
class DropsTheCause(Infrastructure):
    """``from None``."""

    class Database(EachUse):
        @contextmanager
        def mapped(self) -> Iterator[None]:
            try:
                yield
            except sqlite3.Error as error:
                raise self.kind(error)(str(error)) from None


@breaks("INF-08", DIRECT, "raises QueueSchemaError .*; seen it raises QueueDatabaseError")
class OneErrorForAll(Infrastructure):
    """A missing table looks like a moment's trouble."""

    class Database(EachUse):
        def kind(self, error: sqlite3.Error) -> type[QueueDatabaseError]:
            return QueueBusyError if "locked" in str(error) else QueueDatabaseError


@breaks("INF-08", DIRECT, "raises QueueBusyError .*; seen it raises QueueDatabaseError")
class BusyIsBroken(Infrastructure):
    """A worker that should have tried again gives up."""

    class Database(EachUse):
        def kind(self, error: sqlite3.Error) -> type[QueueDatabaseError]:
            return QueueSchemaError if "no such" in str(error) else QueueDatabaseError


@breaks("INF-08", DIRECT, "seen it raises nothing")
class SwallowsErrors(Infrastructure):
    """Logs what went wrong, and goes on."""

    class Database(EachUse):
        @contextmanager
        def transaction(self) -> Iterator[sqlite3.Connection]:
            with closing(self.open()) as connection:
                try:
                    connection.execute("BEGIN IMMEDIATE")
                    yield connection
                    connection.execute("COMMIT")
                except sqlite3.Error:
                    pass


@breaks("INF-08", DIRECT, r"inside connection\(\) raises QueueSchemaError", twin=Infrastructure)
class MapsWritesOnly(Infrastructure):
    """Reads raise what the driver raises."""

    class Database(EachUse):
        @contextmanager
        def connection(self) -> Iterator[sqlite3.Connection]:
            with closing(self.open()) as connection:
                yield connection


@breaks("INF-08", DIRECT, "the caller's LookupError")
class WrapsTheCallersErrors(Infrastructure):
    """``except Exception`` where ``sqlite3.Error`` is meant."""

    class Database(EachUse):
        @contextmanager
        def mapped(self) -> Iterator[None]:
            try:
                yield
            except sqlite3.Error as error:
                raise self.kind(error)(str(error)) from error
            except Exception as error:
                raise QueueDatabaseError(str(error)) from error


@breaks("INF-08", DIRECT, "writes again once the lock is free", twin=SharedConnection)
class StaysLocked(QueueAdapter):
    """A busy error leaves its turn taken, for good."""

    def open_database(self) -> Any:
        class Stuck(OneForAll):
            stuck = False

            @contextmanager
            def transaction(self) -> Iterator[sqlite3.Connection]:
                if self.stuck:
                    raise QueueBusyError("in use")
                self.stuck = True
                with super().transaction() as connection:
                    yield connection
                self.stuck = False

        return Stuck(self.dsn)


@breaks("INF-08", DIRECT, "the caller's LookupError|its INSERT is rolled back", twin=Infrastructure)
class CommitsWhatFailed(QueueAdapter):
    """``finally: commit()``."""

    def open_database(self) -> Any:
        class Commits(QueueDatabase):
            @contextmanager
            def transaction(self) -> Iterator[sqlite3.Connection]:
                with self.connection() as connection:
                    connection.execute("BEGIN IMMEDIATE")
                    try:
                        yield connection
                    finally:
                        connection.execute("COMMIT")

        return Commits.from_dsn(self.dsn)
