"""Virtual time on PostgreSQL: a ``now()`` of the schema's own, found before that of the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq.postgres.server import connected

if TYPE_CHECKING:
    from typing import Self

# STABLE as the server's own is: one value per statement, and fit to search an index by. It reads a table, so that every
# connection of every process reads the same clock, and a statement in another transaction a moved one at once.
_INSTALL = """
    CREATE TABLE {schema}.taskq_clock (
        one boolean PRIMARY KEY DEFAULT true CHECK (one), stands_at timestamptz, moved interval NOT NULL DEFAULT '0',
        frame bigint[]
    );
    INSERT INTO {schema}.taskq_clock DEFAULT VALUES;
    CREATE FUNCTION {schema}.now() RETURNS timestamptz LANGUAGE sql STABLE AS
        'SELECT coalesce(stands_at, pg_catalog.now()) + moved FROM {schema}.taskq_clock';
    CREATE FUNCTION {schema}.transaction_timestamp() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT {schema}.now()';
    CREATE FUNCTION {schema}.statement_timestamp() RETURNS timestamptz LANGUAGE sql STABLE AS
        'SELECT coalesce(stands_at, pg_catalog.statement_timestamp()) + moved FROM {schema}.taskq_clock';
    CREATE FUNCTION {schema}.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
        'SELECT coalesce(stands_at, pg_catalog.clock_timestamp()) + moved FROM {schema}.taskq_clock';
"""


class ShadowClock:
    """The clock of one schema; install it before the tables are made, because their defaults are bound then.

    It moves what calls ``now()`` and its like (``clock_timestamp()``, ``statement_timestamp()``,
    ``transaction_timestamp()``) unqualified on a connection whose search path names the schema before ``pg_catalog``.
    Out of its reach: ``CURRENT_TIMESTAMP``, ``LOCALTIMESTAMP``, ``'now'``, a qualified ``pg_catalog.now()``, and
    defaults, views and trigger conditions that were made without it.
    """

    def __init__(self, dsn: str, schema: str) -> None:
        self.dsn = dsn
        self.schema = schema
        self.connection = connected(dsn)
        self.connection.execute("SET synchronous_commit = off")  # what time it was need not survive a crash

    def install(self) -> Self:
        """Create the clock; it shows the server's time until it is moved."""
        self._execute(_INSTALL.format(schema=self.schema))
        return self

    def show(self, milliseconds: int) -> None:
        """Stop at a moment, milliseconds since 1970-01-01 00:00 UTC."""
        stands = f"to_timestamp({milliseconds} / 1000.0)"
        self._execute(f"UPDATE {self.schema}.taskq_clock SET stands_at = {stands}, moved = '0'")

    def stand_still(self) -> None:
        """Stop at the time it shows now."""
        self._execute(f"UPDATE {self.schema}.taskq_clock SET stands_at = coalesce(stands_at, pg_catalog.now())")

    def advance(self, seconds: float) -> None:
        """Move it; seen by every statement that begins from now on."""
        self._execute(f"UPDATE {self.schema}.taskq_clock SET moved = moved + make_interval(secs => {seconds:.6f})")

    def reset(self) -> None:
        """Show the server's time again."""
        self._execute(f"UPDATE {self.schema}.taskq_clock SET stands_at = NULL, moved = '0', frame = NULL")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection that moves it; the clock stays in the schema."""
        self.connection.close()

    def _execute(self, sql: str) -> None:
        self.connection.execute(sql)
