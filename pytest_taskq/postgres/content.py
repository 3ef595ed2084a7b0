"""What is committed in the tables of a schema, as a number that is equal for equal contents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from pytest_taskq.postgres.server import connected

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

_ROWS = """SELECT '{0}', count(*), md5(coalesce(string_agg(one::text, E'\\n'), '')) FROM "{0}" AS one"""
_SEQUENCE = """SELECT '{0}', last_value, is_called::text FROM "{0}\""""
_NOT_WAITING = "SET lock_timeout = '20ms'"


class SchemaContent:
    """Reads tables and sequences through a connection of the kit's own.

    The rows count in the order in which they lie in the table, because code that asks for no order is given that one.
    ``number_of`` gives equal things the same number.
    """

    def __init__(
        self, dsn: str, tables: Sequence[str], sequences: Sequence[str], number_of: Callable[[Hashable], int]
    ) -> None:
        looks = [*map(_ROWS.format, tables), *map(_SEQUENCE.format, sequences)]
        self._sql = " UNION ALL ".join(looks)
        self._tables = frozenset(tables)
        self._number_of = number_of
        self._connection = connected(dsn)
        self._connection.execute(_NOT_WAITING)
        self.begin_run()

    def begin_run(self) -> None:
        """Forget what was seen."""
        self._sizes: dict[str, int] = {}
        self.largest_drop = 0

    def number(self) -> int | None:
        """Return the number of what is committed; None while a lock keeps readers out."""
        try:
            found = self._connection.execute(self._sql, prepare=True).fetchall()
        except psycopg.errors.LockNotAvailable:
            self._sizes = {}  # what left meanwhile may have left in several steps
            return None
        sizes = {name: count for name, count, _ in found if name in self._tables}
        drops = (before - sizes[name] for name, before in self._sizes.items())
        self._sizes, self.largest_drop = sizes, max(self.largest_drop, *drops, 0)
        return self._number_of(tuple(found))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
