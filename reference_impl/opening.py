"""Which database and which queue a DSN means; a back end's driver is loaded where it is used."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from . import expected
from .database import QueueDatabase
from .queue import Queue

if TYPE_CHECKING:
    from pytest_taskq.contract import Connection, Database

    from .postgres.database import PostgresDatabase

_POSTGRES = ("postgresql://", "postgres://")


def open_database(dsn: str, **settings: Any) -> QueueDatabase | PostgresDatabase:  # noqa: ANN401 - refused by name and value
    """Return the database that ``sqlite:///path`` or ``postgresql://…`` names; nothing is opened yet.

    Raises ValueError for another scheme and for a setting without meaning, ImportError if the driver is missing.
    """
    if not str(dsn).startswith(_POSTGRES):
        return QueueDatabase.from_dsn(dsn, **settings)
    try:
        from .postgres.database import PostgresDatabase
    except ImportError as error:
        raise ImportError(
            f"{dsn} needs psycopg 3, which cannot be imported ({error}); pip install 'pytest-taskq[postgres]'"
        ) from error
    return PostgresDatabase.from_dsn(dsn, **settings)


def queue_on(db: Database, *, dsn: str | None = None) -> Queue:
    """Return the reference queue on ``db``, in the SQL of ``dsn`` or, without one, of its connections."""
    if not (speaks_postgres(db) if dsn is None else dsn.startswith(_POSTGRES)):
        return Queue(db)
    from .postgres.queue import PostgresQueue

    return PostgresQueue(db)


def speaks_postgres(db: Database) -> bool:
    """Whether it is ours for PostgreSQL, or another team's whose connections are of psycopg."""
    if isinstance(db, QueueDatabase) or "psycopg" not in sys.modules:
        return False
    if type(db).__module__.startswith(f"{__package__}.postgres."):
        return True
    with db.connection() as connection:
        return is_psycopg(connection)


def is_psycopg(connection: Connection) -> bool:
    """Whether a connection is of psycopg, or of a class made from its."""
    return any(kind.__module__.split(".")[0] == "psycopg" for kind in type(connection).__mro__)


def schema_problems(connection: Connection) -> tuple[list[str], list[str]]:
    """Return what is missing or different from the contract's schema, and notes on what is there beside it."""
    if not is_psycopg(connection):
        return expected.schema_problems(connection)
    from .postgres.expected import schema_problems as on_postgres

    return on_postgres(connection)
