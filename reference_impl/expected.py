"""The contract's schema as data, and the one judge of a database against it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .schema import CONTRACT_NAMES, EXTRA_COLUMNS, EXTRA_NAMES, columns_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_taskq.contract import Connection

    from .schema import Column

_INTEGER = frozenset({"INTEGER"})
_TEXT = frozenset({"TEXT"})
_TIME = frozenset({"TEXT", "NUMERIC"})  # DATETIME and TIMESTAMP have numeric affinity, which keeps a UTC text as it is
_NOW = frozenset({"datetime('now')", "current_timestamp"})
_EMPTY = frozenset({"'{}'"})


@dataclass(frozen=True, slots=True)
class Expected:
    """What the contract says of a column: its affinity, its default, whether NULL is refused.

    ``default`` None: the contract names none, so any will do. ``not_null`` None: either will do.
    """

    affinity: frozenset[str]
    default: frozenset[str] | None = None
    not_null: bool | None = None


_NULLABLE_TIME = Expected(_TIME, not_null=False)
_NULLABLE_TEXT = Expected(_TEXT, not_null=False)

EXPECTED: dict[str, dict[str, Expected]] = {
    "task_queue": {
        "id": Expected(_INTEGER),
        "type": Expected(_TEXT, not_null=True),
        "priority": Expected(_INTEGER, frozenset({"100"})),
        "payload": Expected(_TEXT, not_null=True),
        "compatibility": Expected(_TEXT, _EMPTY),
        "status": Expected(_TEXT, frozenset({"'queued'"})),
        "attempts": Expected(_INTEGER, frozenset({"0"})),
        "max_attempts": Expected(_INTEGER, frozenset({"5"})),
        "run_after_utc": Expected(_TIME, _NOW),
        "reserved_at_utc": _NULLABLE_TIME,
        "lease_until_utc": _NULLABLE_TIME,
        "locked_by": _NULLABLE_TEXT,
        "processing_started_utc": _NULLABLE_TIME,
        "finished_at_utc": _NULLABLE_TIME,
        "error_message": _NULLABLE_TEXT,
        "idempotency_key": _NULLABLE_TEXT,
        "created_at_utc": Expected(_TIME, _NOW),
        "updated_at_utc": Expected(_TIME, _NOW),
    },
    "workers": {
        "worker_id": Expected(_TEXT),
        "capabilities": Expected(_TEXT),
        "heartbeat_utc": Expected(_TIME),
    },
    "task_logs": {
        "log_id": Expected(_INTEGER),
        "task_id": Expected(_INTEGER),
        "at_utc": Expected(_TIME),
        "level": Expected(_TEXT),
        "message": Expected(_TEXT),
        "details": Expected(_TEXT),
    },
}


def schema_problems(connection: Connection) -> tuple[list[str], list[str]]:
    """Return what is missing or different from the contract's schema, and notes on what is there beside it."""
    problems: list[str] = []
    notes: list[str] = []
    for table, expected in EXPECTED.items():
        present = {column.name: column for column in columns_of(connection, table)}
        if not present:
            problems.append(f"table {table} is missing")
            continue
        problems += _differences(table, present, expected)
        notes += [f"extra column {table}.{name}" for name in present if name not in expected | EXTRA_COLUMNS]
    if not any(problem.startswith("table") for problem in problems):
        problems += _constraints(connection)
    return problems, notes + _extra_objects(connection)


def _differences(table: str, present: dict[str, Column], expected: dict[str, Expected]) -> Iterator[str]:
    for name, wanted in expected.items():
        column = present.get(name)
        if column is None:
            yield f"column {table}.{name} is missing"
            continue
        affinity = _affinity(column.type)
        if affinity not in wanted.affinity:
            yield f"{table}.{name} is declared {column.type or 'without a type'}, not {_listed(wanted.affinity)}"
        if wanted.default is not None and _plain(column.default) not in wanted.default:
            yield f"{table}.{name} has the default {column.default}, not {_listed(wanted.default)}"
        if wanted.not_null is not None and column.not_null != wanted.not_null:
            yield f"{table}.{name} {'refuses' if column.not_null else 'accepts'} NULL"


def _constraints(connection: Connection) -> Iterator[str]:
    declared = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'task_queue'").fetchone()[0]
    is_key = [column.name for column in columns_of(connection, "task_queue") if column.key] == ["id"]
    code = re.sub(r"--[^\n]*|/\*.*?\*/", " ", declared, flags=re.DOTALL)
    if not (is_key and re.search(r"\bAUTOINCREMENT\b", code, re.IGNORECASE)):
        yield "task_queue.id is not INTEGER PRIMARY KEY AUTOINCREMENT: the id of a deleted task would be given again"
    if not _has_unique_key(connection):
        yield "task_queue.idempotency_key is not unique where not null"
    links = connection.execute("PRAGMA foreign_key_list(task_logs)").fetchall()
    if not any(row[2].lower() == "task_queue" and row[3] == "task_id" for row in links):
        yield "task_logs.task_id does not refer to task_queue"


def _has_unique_key(connection: Connection) -> bool:
    for row in connection.execute("PRAGMA index_list(task_queue)").fetchall():
        name, unique = row[1], row[2]
        columns = [part[2] for part in connection.execute("SELECT * FROM pragma_index_info(?)", (name,)).fetchall()]
        if unique and columns == ["idempotency_key"] and _covers_every_key(connection, name):
            return True
    return False


def _covers_every_key(connection: Connection, index: str) -> bool:
    """Whether the index has no condition, or only that the key is not null."""
    found = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (index,)).fetchone()
    condition = re.split(r"\bwhere\b", (found and found[0]) or "", flags=re.IGNORECASE)[1:]
    return (
        not condition or re.sub(r"[\"\s()`\[\]]+", " ", condition[0]).strip().lower() == "idempotency_key is not null"
    )


def _extra_objects(connection: Connection) -> list[str]:
    known = CONTRACT_NAMES | EXTRA_NAMES
    rows = connection.execute("SELECT type, name FROM sqlite_master ORDER BY type, name").fetchall()
    return [f"extra {row[0]} {row[1]}" for row in rows if row[1] not in known and not row[1].startswith("sqlite_")]


def _affinity(declared: str) -> str:
    """Return the affinity by SQLite's rules, in their order (https://sqlite.org/datatype3.html, 3.1)."""
    for affinity, parts in (("INTEGER", ("INT",)), ("TEXT", ("CHAR", "CLOB", "TEXT")), ("BLOB", ("BLOB",))):
        if any(part in declared for part in parts):
            return affinity
    if any(part in declared for part in ("REAL", "FLOA", "DOUB")):
        return "REAL"
    return "NUMERIC" if declared else "BLOB"


def _plain(default: str | None) -> str:
    text = re.sub(r"\s+", "", default or "").lower()
    while text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    return text.replace('"', "'")


def _listed(values: frozenset[str]) -> str:
    return " or ".join(sorted(values))
