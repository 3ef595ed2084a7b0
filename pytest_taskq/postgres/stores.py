"""Stores on PostgreSQL: each a schema of the run's own, with a clock that the kit moves."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import psycopg

from pytest_taskq.postgres.clock import ShadowClock
from pytest_taskq.postgres.clock_probe import MEANS, Means, beyond_reach, unsupported
from pytest_taskq.postgres.contents import Contents
from pytest_taskq.postgres.plain import PostgresSql
from pytest_taskq.postgres.server import connected, end_backends, schema_of_its_own
from pytest_taskq.postgres.settings import settings_of
from pytest_taskq.postgres.store_time import ShadowTime
from pytest_taskq.subject.store import POSTGRESQL, SHIFTED, Store
from pytest_taskq.subject.stores import Stores, initialise
from pytest_taskq.subject.violation import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from pytest_taskq.clock import VirtualClock
    from pytest_taskq.contract import Connection
    from pytest_taskq.contract.settings import Setting
    from pytest_taskq.postgres.store_time import StoreTime
    from pytest_taskq.subject.bench import Bench
    from pytest_taskq.subject.invocation import Invoker
    from pytest_taskq.subject.store import PlainSql, TimedCall
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
        self.time: StoreTime = ShadowTime(self._clock)

    @property
    def driver_error(self) -> type[Exception]:
        """The class of psycopg's errors."""
        return psycopg.Error

    def connect(self) -> PlainSql:
        """Return a new connection."""
        return PostgresSql(self.dsn, self._current_time)

    def _current_time(self) -> StoreTime:
        return self.time

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

    def move_time(self, means: Means) -> None:
        """Choose by which means virtual moments are shown; those of before are forgotten."""
        if means == "shift":
            from pytest_taskq.postgres.shifting import ShiftedTime

            self.time = ShiftedTime(self._clock)
        elif not isinstance(self.time, ShadowTime):
            self.time = ShadowTime(self._clock)

    @property
    def moves_rows(self) -> bool:
        """Whether the stored times are moved, because the code goes by the server's own clock."""
        return not isinstance(self.time, ShadowTime)

    def show(self, milliseconds: int) -> None:
        """Show the kit's own SQL a virtual moment."""
        self.time.show(milliseconds)

    def call_at(self, clock: VirtualClock, method: str, arguments: tuple[Any, ...]) -> TimedCall:
        """Return the context in which the code under test goes by ``clock``."""
        return self.time.call_at(clock, method, arguments)

    def show_real_time(self) -> None:
        """Let ``now()`` show the server's time."""
        self.time.show_real_time()

    def end_connections(self, backends: Collection[int] = ()) -> None:
        """End every connection but the kit's, and those of ``backends``; what they had open is undone then."""
        with connected(self.dsn) as connection:
            _end_others(connection, self.schema, backends)
        self.time.look_again()


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
        self._clock.reset()  # rows that were moved need not be moved back to be deleted
        self.time = ShadowTime(self._clock)
        with connected(self.dsn) as connection:
            _end_others(connection, self.schema)
            return self._contents.put_back(connection)

    def drop(self) -> None:
        """Remove the schema with all in it."""
        self.end_connections()
        self._open.close()


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
        self._means: Means | None = None
        self._unsupported = ""

    def fresh(self, invoke: Invoker, *, in_real_time: bool = False) -> Store:
        """Return a store whose tables are as the team's own code makes them."""
        store = self._idle.pop() if self._idle else self._made(invoke)
        store.move_time("shadow" if in_real_time or self._means is None else self._means)
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

    def require_clock(self, bench: Bench) -> None:
        """Raise UnsupportedError where no means that the kit has moves the time of the team's own code."""
        if self._unsupported:
            raise UnsupportedError(self._unsupported)
        if self._means is None:
            self._choose(bench)

    def _choose(self, bench: Bench) -> None:
        """Find the means that the team's code goes by; what a fresh store has while one is tried is that."""
        reasons = {}
        for means in MEANS:
            self._means = means
            try:
                reasons[means] = beyond_reach(means, bench) if self.subject.shared_schema else ""
            except UnsupportedError as error:
                reasons[means] = str(error)
            except BaseException:
                self._means = None
                raise
            if not reasons[means]:
                return
        self._unsupported = unsupported(reasons)
        self.require_clock(bench)

    @property
    def time_note(self) -> str:
        """What tells shifted rows from a clock that stands still."""
        return SHIFTED if self._means == "shift" and not self._unsupported else ""

    def close(self) -> None:
        """Drop the schemas that were kept, and those that a check which never came back has."""
        left, self._idle, self._in_use = [*self._idle, *self._in_use], [], []
        for store in left:
            store.drop()
            super().discard(store)
