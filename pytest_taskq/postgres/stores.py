"""Stores on PostgreSQL: each a schema of the run's own, with a clock that the kit moves."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import psycopg

from pytest_taskq.postgres.clock import ShadowClock
from pytest_taskq.postgres.clock_probe import beyond_reach
from pytest_taskq.postgres.plain import PostgresSql
from pytest_taskq.postgres.server import connected, end_backends, schema_of_its_own
from pytest_taskq.postgres.settings import settings_of
from pytest_taskq.subject.store import POSTGRESQL, Store
from pytest_taskq.subject.stores import Stores, initialise
from pytest_taskq.subject.violation import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from pytest_taskq.contract import Connection
    from pytest_taskq.contract.settings import Setting
    from pytest_taskq.subject.invocation import Invoker
    from pytest_taskq.subject.queue import QueueUnderTest
    from pytest_taskq.subject.store import PlainSql
    from pytest_taskq.subject.subject import Subject

_MOST_USES = 200  # of one schema: rows that were deleted stay in its files until they are vacuumed


class ServerStore(Store):
    """A schema on a server with a clock that is the kit's; made and removed by somebody else."""

    backend = POSTGRESQL
    placeholder = "%s"
    # PostgreSQL looks into pages where the extension amcheck is installed, which a team's user may not do; an index
    # that was given up half way and a constraint that was never checked are in the catalogue.
    integrity_check = """
        SELECT coalesce(string_agg(what, '; ' ORDER BY what), 'ok') FROM (
            SELECT indexrelid::regclass || ' is not a valid index' FROM pg_index JOIN pg_class ON oid = indexrelid
            WHERE relnamespace = current_schema()::regnamespace AND NOT (indisvalid AND indisready)
            UNION ALL SELECT conname || ' is a constraint that was never validated' FROM pg_constraint
            WHERE connamespace = current_schema()::regnamespace AND NOT convalidated
        ) AS broken(what)
    """

    def __init__(self, dsn: str, schema: str, folder: Path) -> None:
        super().__init__(dsn, folder)
        self.schema = schema
        self._clock = ShadowClock(dsn, schema)
        self._shows: int | None = None

    @property
    def driver_error(self) -> type[Exception]:
        """The class of psycopg's errors."""
        return psycopg.Error

    def connect(self) -> PlainSql:
        """Return a new connection."""
        return PostgresSql(self.dsn)

    def objects(self) -> Sequence[tuple[Any, ...]]:
        """Return the relations, columns, constraints, triggers and functions of the schema, its own name left out."""
        with connected(self.dsn) as connection:
            found = connection.execute(_OBJECTS).fetchall()
            tables = [name for kind, name, _ in found if kind == "r"]
            rows = [(name, connection.execute(f'SELECT count(*) FROM "{name}"').fetchall()[0][0]) for name in tables]
        return [*((kind, name, text.replace(self.schema, "")) for kind, name, text in found), *rows]

    def settings(self, connection: Connection) -> Sequence[Setting]:
        """Return the isolation, and the bound on waiting for a lock."""
        return settings_of(connection)

    def show(self, milliseconds: int) -> None:
        """Let ``now()`` show a virtual moment."""
        if milliseconds != self._shows:
            self._clock.show(milliseconds)
            self._shows = milliseconds

    def show_real_time(self) -> None:
        """Let ``now()`` show the server's time."""
        self._clock.reset()
        self._shows = None

    def end_connections(self, backends: Collection[int] = ()) -> None:
        """End every connection but the kit's, and those of ``backends``; what they had open is undone then."""
        with connected(self.dsn) as connection:
            _end_others(connection, self.schema, backends)


class SchemaStore(ServerStore):
    """A schema of the kit's making, its tables made by the team's own code."""

    def __init__(self, server: str, folder: Path) -> None:
        self._server = server
        with ExitStack() as opened:  # what was made before a failure is removed again
            super().__init__(*opened.enter_context(schema_of_its_own(server)), folder)
            opened.enter_context(self._clock).install()
            self._open = opened.pop_all()
        self._contents = Contents(self.schema)
        self.uses = 0

    @contextmanager
    def bare(self, name: str = "fresh") -> Iterator[Store]:
        """Yield a new schema."""
        del name  # each schema has one of its own
        other = SchemaStore(self._server, self.folder)
        other._clock.close()  # it shows the server's time, and a connection for each of many places is too much
        try:
            yield other
        finally:
            other.drop()

    def remember(self) -> None:
        """Take what is there now for what a fresh store holds."""
        with connected(self.dsn) as connection:
            self._contents.remember(connection)

    def empty(self) -> bool:
        """Make it as fresh as it was; False if it has other tables by now, or was used often enough."""
        self.uses += 1
        if self.uses >= _MOST_USES:
            return False
        self.show_real_time()
        with connected(self.dsn) as connection:
            _end_others(connection, self.schema)
            return self._contents.put_back(connection)

    def drop(self) -> None:
        """Remove the schema with all in it."""
        self.end_connections()
        self._open.close()


class Contents:
    """What the tables and sequences of a fresh schema hold, so that a used one can be made fresh in a millisecond.

    Truncating would take ten times as long: it makes new files for each table and index.
    """

    def __init__(self, schema: str) -> None:
        self._schema = schema
        self._shape: list[Any] = []
        self._tables: dict[str, list[str]] = {}  # the rows as texts, in the order in which they lie there
        self._sequences: list[tuple[str, int, bool]] = []

    def remember(self, connection: psycopg.Connection[Any]) -> None:
        """Note the tables, what is in them, and where the sequences stand."""
        self._shape = self._shape_of(connection)
        for name in [name for kind, name, *_ in self._shape if kind == "r" and name != "taskq_clock"]:
            self._tables[name] = [row for (row,) in connection.execute(f'SELECT one::text FROM "{name}" AS one')]
        for name in [name for kind, name, *_ in self._shape if kind == "S"]:
            value, called = connection.execute(f'SELECT last_value, is_called FROM "{name}"').fetchall()[0]
            self._sequences.append((name, value, called))

    @property
    def names(self) -> tuple[list[str], list[str]]:
        """The names of the tables, and those of the sequences."""
        return list(self._tables), [name for name, _, _ in self._sequences]

    def put_back(self, connection: psycopg.Connection[Any]) -> bool:
        """Make the tables hold what they held; False, and nothing done, if the schema is not of that shape any more."""
        if self._shape_of(connection) != self._shape:
            return False
        with connection.transaction():
            if not _without_triggers(connection):
                return False
            with connection.pipeline() if psycopg.Pipeline.is_supported() else nullcontext():
                self._write(connection)
        return True

    def _write(self, connection: psycopg.Connection[Any]) -> None:
        for name, rows in self._tables.items():
            connection.execute(f'DELETE FROM "{name}"')
            if rows:
                connection.execute(_INSERT.format(name), (rows,))
        for name, value, called in self._sequences:
            connection.execute("SELECT setval(%s::regclass, %s, %s)", (f'"{name}"', value, called))

    def _shape_of(self, connection: psycopg.Connection[Any]) -> list[Any]:
        """Return every relation, indexes included: which it is, its columns and its triggers."""
        return connection.execute(_SHAPE, {"schema": self._schema}).fetchall()


_OBJECTS = """
    WITH here AS (SELECT * FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind <> 't')
    SELECT relkind::text AS kind, relname::text AS name,
        coalesce(CASE WHEN relkind = 'i' THEN pg_get_indexdef(oid) WHEN relkind = 'v' THEN pg_get_viewdef(oid) END, '')
        AS text FROM here
    UNION ALL SELECT 'column', relname || '.' || attname, concat_ws(
        ' ', format_type(atttypid, atttypmod), attnotnull, attidentity, pg_get_expr(adbin, adrelid)
    ) FROM here JOIN pg_attribute ON attrelid = here.oid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE attnum > 0 AND NOT attisdropped
    UNION ALL SELECT 'constraint', conname, pg_get_constraintdef(pg_constraint.oid)
        FROM here JOIN pg_constraint ON conrelid = here.oid
    UNION ALL SELECT 'trigger', tgname, pg_get_triggerdef(pg_trigger.oid)
        FROM here JOIN pg_trigger ON tgrelid = here.oid WHERE NOT tgisinternal
    UNION ALL SELECT 'function', proname, pg_get_functiondef(oid)
        FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND prokind <> 'a'
    ORDER BY 1, 2, 3
"""
_SHAPE = """
    SELECT relkind::text, relname::text, oid::bigint, relnatts,
        (SELECT count(*) FROM pg_trigger WHERE tgrelid = pg_class.oid)
    FROM pg_class WHERE relnamespace = %(schema)s::regnamespace ORDER BY relname
"""


# All rows at once, whatever their types.
_INSERT = 'INSERT INTO "{0}" OVERRIDING SYSTEM VALUE SELECT * FROM unnest(%s::text[]::"{0}"[])'


def _without_triggers(connection: psycopg.Connection[Any]) -> bool:
    """Let no trigger fire in this transaction; only a superuser may say so before PostgreSQL 15."""
    try:
        with connection.transaction():
            connection.execute("SET LOCAL session_replication_role = replica")
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


def _end_others(connection: psycopg.Connection[Any], schema: str, backends: Collection[int] = ()) -> None:
    """End every other connection of the schema, and wait until it is gone.

    What the code under test left open may hold locks for ever; and a process that was killed may have left a
    statement behind that its server process still runs, to be committed when another test has the schema.
    """
    found = connection.execute(_OTHERS, {"schema": schema, "backends": list(backends)}).fetchall()
    end_backends(connection, [row[0] for row in found])


_OTHERS = """
    SELECT pid FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND datname = current_database() AND (
        application_name = %(schema)s OR pid = ANY (%(backends)s)
        OR state LIKE 'idle in transaction%%' AND pid IN (
            SELECT pid FROM pg_locks JOIN pg_class ON pg_class.oid = relation
            WHERE relnamespace = %(schema)s::regnamespace
        )
    )
"""


class SchemaStores(Stores):
    """Makes stores on one server; a schema is used again once its tables hold what they held at first."""

    backend = POSTGRESQL

    def __init__(self, subject: Subject, folder: Path, server: str) -> None:
        super().__init__(subject, folder)
        self._server = server
        self._idle: list[SchemaStore] = []
        self._in_use: list[SchemaStore] = []
        self._beyond_reach: str | None = None

    def fresh(self, invoke: Invoker) -> Store:
        """Return a store whose tables are as the team's own code makes them."""
        store = self._idle.pop() if self._idle else self._made(invoke)
        self._in_use.append(store)
        return store

    def _made(self, invoke: Invoker) -> SchemaStore:
        store = SchemaStore(self._server, self.place())
        try:
            if self.subject.shared_schema:
                initialise(self.subject, store, invoke)
            store.remember()
        except BaseException:
            store.drop()
            raise
        return store

    def restored(self, files: Mapping[str, bytes]) -> Store:
        """Raise UnsupportedError: there are no files to make a store of."""
        del files
        raise UnsupportedError("a store on PostgreSQL cannot be made of files")

    def discard(self, store: Store) -> None:
        """Keep the store for the next, if it can be made fresh."""
        assert isinstance(store, SchemaStore)  # noqa: S101 - made by fresh()
        if store not in self._in_use:  # a check that came back after the end, whose schema is dropped
            return
        self._in_use.remove(store)
        super().discard(store)  # the files about it
        if store.empty():
            store.folder.mkdir()
            self._idle.append(store)
        else:
            store.drop()

    def require_clock(self, queues: Callable[[], AbstractContextManager[QueueUnderTest]]) -> None:
        """Raise UnsupportedError where the team's own code does not go by the schema's ``now()``."""
        if self._beyond_reach is None:
            self._beyond_reach = beyond_reach(self.subject.own, queues) if self.subject.shared_schema else ""
        if self._beyond_reach:
            raise UnsupportedError(
                f"time cannot be moved for this code: {self._beyond_reach}. Ask for the time with now(), unqualified, "
                "and not with CURRENT_TIMESTAMP, LOCALTIMESTAMP, 'now' or pg_catalog.now()"
            )

    def close(self) -> None:
        """Drop the schemas that were kept, and those that a check which never came back has."""
        left, self._idle, self._in_use = [*self._idle, *self._in_use], [], []
        for store in left:
            store.drop()
            super().discard(store)
