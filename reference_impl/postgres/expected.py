"""The contract's schema on PostgreSQL as data, and the one judge of a schema against it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_taskq.reference_impl.expected import EXPECTED as ON_SQLITE

from .schema import MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_taskq.contract import Connection
    from pytest_taskq.reference_impl.expected import Expected

# By the affinity that the contract names. A time without a zone means another moment in every session's time zone, and
# a text with a length refuses what the contract stores.
_TYPES: Mapping[str, frozenset[str]] = {
    "INTEGER": frozenset({"bigint", "integer"}),
    "TEXT": frozenset({"text", "character varying"}),
    "TIME": frozenset({"timestamp with time zone"}),
}
_NOW = frozenset({"now()", "current_timestamp"})

_COLUMNS = """
    SELECT attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid), attidentity::text
    FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attrelid = to_regclass('{table}') AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
_KEY = """
    SELECT string_agg(attname, ',') FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
    WHERE indrelid = 'task_queue'::regclass AND indisprimary
"""
_UNIQUE = """
    SELECT pg_get_expr(indpred, indrelid) FROM pg_index
    WHERE indrelid = 'task_queue'::regclass AND indisunique AND indisvalid AND indnkeyatts = 1 AND indexprs IS NULL
    AND indkey[0] = (SELECT attnum FROM pg_attribute WHERE attrelid = indrelid AND attname = 'idempotency_key')
"""
_LINKS = """
    SELECT count(*) FROM pg_constraint
    WHERE contype = 'f' AND conrelid = 'task_logs'::regclass AND confrelid = 'task_queue'::regclass
    AND conkey = ARRAY(SELECT attnum FROM pg_attribute WHERE attrelid = conrelid AND attname = 'task_id')
"""
_OBJECTS = """
    SELECT CASE relkind WHEN 'r' THEN 'table' WHEN 'i' THEN 'index' WHEN 'v' THEN 'view' ELSE 'sequence' END, relname
    FROM pg_class
    WHERE relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'task_queue'::regclass)
    AND relkind IN ('r', 'i', 'v', 'S')
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = pg_class.oid)
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype IN ('i', 'a') AND relkind = 'S')
    UNION ALL
    SELECT 'trigger', tgname FROM pg_trigger WHERE tgrelid = 'task_queue'::regclass AND NOT tgisinternal
    ORDER BY 1, 2
"""
_ADDED = re.compile(r"(?:CREATE (?:UNIQUE )?(?:TABLE|INDEX|TRIGGER|VIEW|SEQUENCE)(?: IF NOT EXISTS)?|ADD COLUMN) (\w+)")
_OURS = frozenset(_ADDED.findall("".join(MIGRATIONS.values()))) | {"reference_migrations"}
_KITS = "taskq_"  # what a run of the kit puts beside the tables begins so


@dataclass(frozen=True, slots=True)
class _Column:
    type: str
    not_null: bool
    default: str | None
    identity: str


def schema_problems(connection: Connection) -> tuple[list[str], list[str]]:
    """Return what is missing or different from the contract's schema, and notes on what is there beside it."""
    problems: list[str] = []
    notes: list[str] = []
    for table, expected in ON_SQLITE.items():
        present = _columns(connection, table)
        if not present:
            problems.append(f"table {table} is missing")
            continue
        problems += _differences(table, present, expected)
        notes += [f"extra column {table}.{name}" for name in present if name not in expected and name not in _OURS]
    if any(problem.startswith("table") for problem in problems):
        return problems, notes
    problems += _constraints(connection)
    return problems, notes + _extra_objects(connection)


def _columns(connection: Connection, table: str) -> dict[str, _Column]:
    rows = connection.execute(_COLUMNS.format(table=table)).fetchall()
    return {row[0]: _Column(row[1], bool(row[2]), row[3], row[4]) for row in rows}


def _differences(table: str, present: Mapping[str, _Column], expected: Mapping[str, Expected]) -> Iterator[str]:
    for name, wanted in expected.items():
        column = present.get(name)
        if column is None:
            yield f"column {table}.{name} is missing"
            continue
        types = _types(name, wanted)
        if column.type not in types:
            yield f"{table}.{name} is declared {column.type}, not {' or '.join(sorted(types))}"
        defaults = _defaults(name, wanted)
        if defaults is not None and _plain(column.default) not in defaults:
            yield f"{table}.{name} has the default {column.default}, not {' or '.join(sorted(defaults))}"
        if wanted.not_null is not None and column.not_null != wanted.not_null:
            yield f"{table}.{name} {'refuses' if column.not_null else 'accepts'} NULL"


def _is_time(name: str) -> bool:
    return name.endswith("_utc")


def _types(name: str, wanted: Expected) -> frozenset[str]:
    return _TYPES["TIME"] if _is_time(name) else frozenset().union(*(_TYPES[one] for one in wanted.affinity))


def _defaults(name: str, wanted: Expected) -> frozenset[str] | None:
    return _NOW if _is_time(name) and wanted.default is not None else wanted.default


def _plain(default: str | None) -> str:
    """Return a default as the contract writes it: without the cast that the server shows beside a literal."""
    text = re.sub(r"::[\w ]+$", "", (default or "").strip().lower())
    return re.sub(r"^\w+\.(?=now\(\)$)", "", text)  # of a clock on the search path, shown with its schema


def _constraints(connection: Connection) -> Iterator[str]:
    number = _columns(connection, "task_queue").get("id")
    counted = number is not None and (number.identity or "nextval(" in (number.default or ""))
    if not counted or connection.execute(_KEY).fetchone()[0] != "id":
        yield "task_queue.id is not a primary key that a sequence counts: the id of a deleted task could be given again"
    if not any(_covers_every_key(row[0]) for row in connection.execute(_UNIQUE).fetchall()):
        yield "task_queue.idempotency_key is not unique where not null"
    if not connection.execute(_LINKS).fetchone()[0]:
        yield "task_logs.task_id does not refer to task_queue"


def _covers_every_key(condition: str | None) -> bool:
    """Whether an index has no condition, or only that the key is not null."""
    return condition is None or condition.strip("()").lower() == "idempotency_key is not null"


def _extra_objects(connection: Connection) -> list[str]:
    rows = connection.execute(_OBJECTS).fetchall()
    known = _OURS | ON_SQLITE.keys()
    return [f"extra {row[0]} {row[1]}" for row in rows if row[1] not in known and not row[1].startswith(_KITS)]
