"""The tables: what creates them, and what may differ in a database that others made."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_taskq.contract import Connection

_HERE = Path(__file__).parent
_NAMED = re.compile(r"CREATE (?:UNIQUE )?(?:TABLE|INDEX|TRIGGER|VIEW) IF NOT EXISTS (\w+)")


def _statements(script: str) -> Iterator[str]:
    """Yield the statements of a script one by one: ``executescript`` would commit the caller's transaction."""
    part = ""
    for line in script.splitlines(keepends=True):
        part += line
        if sqlite3.complete_statement(part):
            yield part.strip()
            part = ""


def _script(name: str) -> tuple[str, ...]:
    return tuple(_statements((_HERE / name).read_text(encoding="utf-8")))


CONTRACT_STATEMENTS = _script("schema.sql")
EXTRA_COLUMNS = {
    "ready": "INTEGER",  # 1: has come due, 0: is not due, NULL: as it was when it was created
    # What a lease writes takes the place of this, so that the row keeps its size. One that grows in a full page splits
    # it, and a claim of a random row of a million would write four pages more.
    "room": f"TEXT DEFAULT '{' ' * 64}'",
    "weighted_lap": "INTEGER NOT NULL DEFAULT 0",
    "weighted_key": "REAL NOT NULL DEFAULT 0",
}
EXTRA_STATEMENTS = _script("extras.sql")
# It begins in a lap that no task has: where it was lost, arrivals are stored by a clock that nobody knows any more, and
# so each task draws again. Where it is there, nothing is read of the tasks.
BEGIN_WEIGHTED_CLOCK = """
    INSERT OR IGNORE INTO reference_weighted_clock
    SELECT 1, ifnull(max(weighted_lap), 0) + 1, 0.0 FROM task_queue
    WHERE NOT EXISTS (SELECT 1 FROM reference_weighted_clock)
"""
# The conditions of the indexes there, word for word: SQLite refuses an index whose condition it does not recognise.
CANDIDATE = "status = 'queued' AND coalesce(ready, run_after_utc <= created_at_utc, 0) = 1"
WAITING = "status = 'queued' AND coalesce(ready, run_after_utc <= created_at_utc, 0) <> 1"
OTHER = "status IS NOT 'queued' AND status IS NOT 'leased' AND status IS NOT 'completed'"


def _names(statements: tuple[str, ...]) -> frozenset[str]:
    return frozenset(name for statement in statements for name in _NAMED.findall(statement))


CONTRACT_NAMES = _names(CONTRACT_STATEMENTS)
EXTRA_NAMES = _names(EXTRA_STATEMENTS)


def is_complete(connection: Connection) -> bool:
    """Whether the contract's tables and everything the reference adds are there."""
    return _names_in(connection) >= CONTRACT_NAMES | EXTRA_NAMES


def has_extras(connection: Connection) -> bool:
    """Whether everything the reference adds is there; its indexes cannot be there without its columns."""
    return _names_in(connection) >= EXTRA_NAMES


def create(connection: Connection) -> None:
    """Create what is missing, inside the caller's transaction."""
    for statement in CONTRACT_STATEMENTS:
        connection.execute(statement)
    add_extras(connection)


def add_extras(connection: Connection) -> None:
    """Add to the contract's tables what the reference needs, inside the caller's transaction."""
    present = {column.name for column in columns_of(connection, "task_queue")}
    for name, declaration in EXTRA_COLUMNS.items():
        if name not in present:
            connection.execute(f"ALTER TABLE task_queue ADD COLUMN {name} {declaration}")
    for statement in (*EXTRA_STATEMENTS, BEGIN_WEIGHTED_CLOCK):
        connection.execute(statement)


def _names_in(connection: Connection) -> frozenset[str]:
    return frozenset(row[0] for row in connection.execute("SELECT name FROM sqlite_master").fetchall())


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the database declares it."""

    name: str
    type: str
    not_null: bool
    default: str | None
    key: bool


def columns_of(connection: Connection, table: str) -> list[Column]:
    """Return the columns of a table in order, none for an unknown table. ``table`` is a constant of the caller's."""
    rows = connection.execute(f"PRAGMA table_info({table})").fetchall()
    return [Column(row[1], row[2].upper(), bool(row[3]), row[4], bool(row[5])) for row in rows]
