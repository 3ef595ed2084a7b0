"""Plain SQL of the kit's own on PostgreSQL, written as for SQLite where both understand it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.types.string import TextLoader

from pytest_taskq.postgres.server import connected
from pytest_taskq.reference_impl.postgres.rows import rows_by_name
from pytest_taskq.subject.store import RowRefusedError
from pytest_taskq.subject.violation import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from psycopg.abc import Buffer

    from pytest_taskq.postgres.store_time import StoreTime
    from pytest_taskq.subject.store import PlainRow


class _UtcText(TextLoader):
    """Shows a time as a text, since infinity is no ``datetime``, and without the offset, which is 0."""

    def load(self, data: Buffer) -> str:
        return bytes(data).decode().removesuffix("+00")


class PostgresSql:
    """A connection in autocommit mode; times are UTC texts."""

    def __init__(self, dsn: str, time: Callable[[], StoreTime]) -> None:
        self._time = time  # the means of each moment, however old the connection
        self._connection = connected(dsn, row_factory=rows_by_name)
        self._connection.execute("SET timezone = 'UTC'")
        self._connection.adapters.register_loader("timestamptz", _UtcText)

    @property
    def backend(self) -> int:
        """The id of the server process."""
        return self._connection.info.backend_pid

    def run(self, statement: str, parameters: Sequence[Any] | Mapping[str, Any]) -> Sequence[PlainRow]:
        """Run a statement with ``?`` for each parameter. Raises RowRefusedError where the tables refuse a row."""
        try:
            cursor = self._connection.execute(_translated(statement), _texts(parameters))
        except (psycopg.IntegrityError, psycopg.DataError) as error:
            raise RowRefusedError(str(error)) from error
        if statement.lstrip().upper().startswith(_WRITES):
            self._time().kit_wrote()
        return [] if cursor.description is None else cursor.fetchall()

    def run_each(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement for each of ``rows`` in one transaction."""
        with self._connection.transaction(), self._connection.cursor() as cursor:
            cursor.executemany(_translated(statement), rows)
        self._time().kit_wrote()

    def version(self) -> int:
        """Return a number that changes when another connection commits a write to a table of the schema.

        Where the kit itself moves rows, whoever moves them counts what the code has written.
        """
        counted = self._time().written()
        return fingerprint(self._connection) if counted is None else counted

    def lock(self) -> None:
        """Keep everybody else from writing tasks until ``unlock``; they may read."""
        self._connection.execute("BEGIN")
        self._connection.execute("LOCK TABLE task_queue IN EXCLUSIVE MODE")

    def unlock(self) -> None:
        """Let go of the lock, with nothing written."""
        self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close it."""
        self._connection.close()


def fingerprint(connection: psycopg.Connection[Any]) -> int:
    """Return a number of the rows of the schema that changes when somebody writes one.

    A sum of what each row version says of itself: whoever writes a row leaves a version of another transaction.
    """
    tables = [row[0] for row in connection.execute(_TABLES)]
    looks = " UNION ALL ".join(f'SELECT xmin, ctid FROM "{name}"' for name in tables)
    found = connection.execute(f"SELECT hashtextextended(string_agg(r::text, ' '), 0) FROM ({looks}) AS r")
    return int((found.fetchone() or [0])[0] or 0)


_WRITES = ("INSERT", "UPDATE")
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename <> 'taskq_clock'"


def _texts(parameters: Sequence[Any] | Mapping[str, Any]) -> Sequence[Any] | Mapping[str, Any]:
    """Return the parameters with bytes as the texts that they spell; what is not UTF-8 is refused."""
    if isinstance(parameters, Mapping):
        return parameters
    try:
        return [one.decode() if isinstance(one, bytes) else one for one in parameters]
    except UnicodeDecodeError as error:
        raise RowRefusedError(f"PostgreSQL holds no text that is not UTF-8 ({error})") from error


def _translated(statement: str) -> Any:  # noqa: ANN401 - psycopg wants literals, and these are the kit's own
    if statement.lstrip().upper().startswith("PRAGMA"):
        raise UnsupportedError(f"{statement} is SQLite's own, and the store is on PostgreSQL")
    return statement.replace("%", "%%").replace("?", "%s")
