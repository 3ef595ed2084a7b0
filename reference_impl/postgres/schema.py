"""The tables on PostgreSQL: plain SQL, in numbered files that are applied in their order and each only once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_taskq.reference_impl.errors import QueueSchemaError

if TYPE_CHECKING:
    from pytest_taskq.contract import Connection

MIGRATIONS: dict[int, str] = {
    int(path.name.split("_")[0]): path.read_text(encoding="utf-8")
    for path in sorted(Path(__file__).with_name("migrations").glob("*.sql"))
}
CONTRACT = 1  # creates the contract's tables; all later ones add what the reference needs
LATEST = max(MIGRATIONS)

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('task_queue of ' || current_schema(), 0))"
_APPLIED = (
    "CREATE TABLE IF NOT EXISTS reference_migrations (number integer PRIMARY KEY, at_utc timestamptz DEFAULT now())"
)
_MADE_HERE = "SELECT to_regclass(quote_ident(current_schema()) || '.reference_migrations') IS NOT NULL"
_IN_SIGHT = "SELECT to_regclass('reference_migrations') IS NOT NULL"


def is_complete(connection: Connection) -> bool:
    """Whether the first schema of the search path has every table, and everything the reference adds."""
    return _version(connection, _MADE_HERE) >= LATEST


def has_extras(connection: Connection) -> bool:
    """Whether everything the reference adds is there, in any schema of the search path."""
    return _version(connection, _IN_SIGHT) >= LATEST


def create(connection: Connection) -> None:
    """Create what is missing, inside the caller's transaction; others that do the same wait for it."""
    _apply(connection, CONTRACT)


def add_extras(connection: Connection) -> None:
    """Add to the contract's tables what the reference needs, inside the caller's transaction."""
    _apply(connection, CONTRACT + 1)


def _apply(connection: Connection, first: int) -> None:
    _refuse_no_place(connection)
    connection.execute(_LOCK)
    connection.execute(_APPLIED)
    applied = {row[0] for row in connection.execute("SELECT number FROM reference_migrations").fetchall()}
    for number, script in MIGRATIONS.items():
        if number >= first and number not in applied:
            connection.execute(script)
            connection.execute("INSERT INTO reference_migrations (number) VALUES (%s)", (number,))


def _refuse_no_place(connection: Connection) -> None:
    place, path = connection.execute("SELECT current_schema(), current_setting('search_path')").fetchone()
    if place in {None, "pg_catalog"}:
        raise QueueSchemaError(
            f"no schema of the search path ({path}) exists, so there is no place for the tables; create it, or name "
            "another in the DSN (options=-csearch_path%3Dname), then run initialize_schema()"
        )


def _version(connection: Connection, is_there: str) -> int:
    if not connection.execute(is_there).fetchone()[0]:
        return 0
    found: int = connection.execute("SELECT coalesce(max(number), 0) FROM reference_migrations").fetchone()[0]
    return found
