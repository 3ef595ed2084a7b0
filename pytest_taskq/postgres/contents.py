"""What a schema holds when it is fresh, put back after each use."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import psycopg


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
