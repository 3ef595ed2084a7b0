"""Database objects whose connections, or whose errors, are not what the contract says."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from mutant_queues.infrastructure import EachUse, Infrastructure, OneForAll, SharedConnection
from mutant_queues.registry import DIRECT, breaks
from pytest_taskq import QueueAdapter
from pytest_taskq.reference_impl import QueueBusyError, QueueDatabase, QueueDatabaseError, QueueSchemaError

if TYPE_CHECKING:
    from collections.abc import Iterator


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
