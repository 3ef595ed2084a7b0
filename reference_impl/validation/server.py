"""What can be seen of a queue on PostgreSQL by reading it, in a session that cannot write."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from .contents import COMES, few, rows_check, schema_check
from .deadline import Deadline
from .report import AREAS, Check, ValidationReport

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

_PATIENCE = 5  # seconds to reach the server, and to wait for a lock
_BROKEN = """
    SELECT 'index ' || relname || ' is not valid' FROM pg_index JOIN pg_class ON oid = indexrelid
    WHERE relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('task_queue'))
        AND NOT (indisvalid AND indisready)
    UNION ALL
    SELECT 'constraint ' || conname || ' is not validated' FROM pg_constraint
    WHERE connamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('task_queue')) AND NOT convalidated
"""
# What loses commits, or half a page, when the server dies; https://www.postgresql.org/docs/current/runtime-config-wal.html
_DURABLE = ("fsync", "full_page_writes", "synchronous_commit")
_WRITING = "it would have to write, which is not done on a server; the conformance suite tries it in schemas of its own"


def validate_server(dsn: str, seconds: float) -> ValidationReport:
    """Report whether the schema that the DSN leads to holds a sound queue; the session is read-only."""
    try:
        import psycopg

        from pytest_taskq.reference_impl.postgres.held import without_password
    except ImportError as error:
        needed = f"it needs psycopg 3, which cannot be imported ({error}); pip install 'pytest-taskq[postgres]'"
        return ValidationReport(dsn.partition("@")[2] or dsn, obstacle=needed)
    place = without_password(dsn)
    try:
        with closing(_connected(dsn, seconds)) as connection:
            return ValidationReport(place, tuple(_checks(connection, seconds)))
    except psycopg.Error as error:
        return ValidationReport(place, obstacle=f"the server did not answer: {str(error).strip()}")


def _connected(dsn: str, seconds: float) -> psycopg.Connection[Any]:
    import psycopg

    from pytest_taskq.reference_impl.postgres.rows import rows_by_name

    connection: psycopg.Connection[Any] = psycopg.connect(
        dsn, autocommit=True, connect_timeout=_PATIENCE, row_factory=rows_by_name
    )
    for setting, value in (
        ("default_transaction_read_only", "on"),
        ("statement_timeout", f"{seconds:.0f}s"),
        ("lock_timeout", f"{_PATIENCE}s"),
        ("timezone", "UTC"),
    ):
        connection.execute("SELECT set_config(%s, %s, false)", (setting, value))
    return connection


def _checks(connection: psycopg.Connection[Any], seconds: float) -> Iterator[Check]:
    from pytest_taskq.reference_impl.postgres import schema
    from pytest_taskq.reference_impl.postgres.expected import schema_problems

    yield _configuration(connection)
    broken = [row[0] for row in connection.execute(_BROKEN).fetchall()]
    yield Check("INF-02", "answers; indexes and constraints are valid", ok=not broken, detail=few(broken))
    problems, notes = schema_problems(connection)
    extras = not problems and schema.has_extras(connection)
    yield schema_check(problems, notes, extras=extras)
    yield _settings(connection)
    yield rows_check(connection, Deadline(seconds), problems, ask="%s")
    yield Check.not_judged("INF-06", AREAS["INF-06"], _WRITING)
    yield _indexes(extras=extras)
    yield Check.not_judged("INF-08", AREAS["INF-08"], _WRITING)


def _configuration(connection: psycopg.Connection[Any]) -> Check:
    version, encoding, place = connection.execute(
        "SELECT current_setting('server_version'), current_setting('server_encoding'), current_schema()"
    ).fetchone() or ("", "", None)
    wrong = [] if encoding == "UTF8" else [f"the encoding is {encoding}, which cannot hold every text; use UTF8"]
    if place is None:
        wrong.append("no schema of the search path exists; name one in the DSN (options=-csearch_path%3Dname)")
    where = f"PostgreSQL {version}, schema {place}"
    return Check("INF-01", "encoding and search path suit a queue", ok=not wrong, detail="; ".join([*wrong, where]))


def _settings(connection: psycopg.Connection[Any]) -> Check:
    found = {name: connection.execute("SELECT current_setting(%s)", (name,)).fetchone() for name in _DURABLE}
    off = [f"{name} is off: what was committed may be lost" for name, row in found.items() if row and row[0] == "off"]
    return Check("INF-04", "the server keeps what it has committed", ok=not off, detail="; ".join(off))


def _indexes(*, extras: bool) -> Check:
    name = "the reference's indexes are there"
    if extras:
        return Check("INF-07", name, ok=True)
    return Check.not_judged("INF-07", name, COMES)
