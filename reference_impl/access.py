"""How every verb of the queue reaches the database, whoever wrote the database object."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from . import checks, schema
from .database import QueueDatabase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from pytest_taskq.contract import Connection, Cursor, Database

    Parameters = Sequence[object] | Mapping[str, object]


class Access:
    """The database, with what the reference adds to the contract's tables put there before the first write."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self._has_extras = False
        # Runs one statement as a transaction of its own: None before the first write, and where only the database
        # object knows what a transaction is.
        self._alone: Callable[[str, Parameters], Cursor] | None = None

    def _read(self) -> AbstractContextManager[Connection]:
        return self.db.connection()

    def _write(self) -> AbstractContextManager[Connection]:
        return self.db.transaction() if self._has_extras else self._first_write()

    @contextmanager
    def _first_write(self) -> Iterator[Connection]:
        with self.db.transaction() as connection:
            self._extend(connection)
            yield connection
        self._has_extras = True  # and not before the commit: a rollback takes them away again
        if type(self.db) is QueueDatabase:
            self._alone = self.db.write

    def _changes_one(self, statement: str, parameters: Parameters) -> bool:
        """Run one statement in a transaction; whether it changed a row."""
        if self._alone is not None:
            return self._alone(statement, parameters).rowcount == 1
        with self._write() as connection:
            return connection.execute(statement, parameters).rowcount == 1

    def _extend(self, connection: Connection) -> None:
        if not self._is_extended(connection):
            schema.add_extras(connection)

    def _is_extended(self, connection: Connection) -> bool:
        return self._has_extras or schema.has_extras(connection)

    # What a back end can hold, and how it is told; another one overrides these.

    _text = staticmethod(checks.text)
    _is_storable = staticmethod(checks.is_storable)
    _error_text = staticmethod(checks.error_text)
    _json_object = staticmethod(checks.json_object)
    _later: Callable[[float], str | float] = staticmethod(checks.later)
    _earlier: Callable[[float], str | float] = staticmethod(checks.earlier)
