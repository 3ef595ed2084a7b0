"""How every verb of the queue reaches the database, whoever wrote the database object."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from . import checks, schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from pytest_taskq.contract import Connection, Database


class Access:
    """The database, with what the reference adds to the contract's tables put there before the first write."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self._has_extras = False

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

    def _extend(self, connection: Connection) -> None:
        if not self._is_extended(connection):
            schema.add_extras(connection)

    def _is_extended(self, connection: Connection) -> bool:
        return self._has_extras or schema.has_extras(connection)

    # What a back end can hold, and how it is told; another one overrides these.

    def _text(self, name: str, value: object) -> str:
        return checks.text(name, value)

    def _is_storable(self, value: str) -> bool:
        return checks.is_storable(value)

    def _error_text(self, error: object) -> str:
        return checks.error_text(error)

    def _json_object(self, name: str, value: object) -> str:
        return checks.json_object(name, value)

    def _later(self, delay: float) -> str | float:
        return checks.later(delay)

    def _earlier(self, age: float) -> str | float:
        return checks.earlier(age)
