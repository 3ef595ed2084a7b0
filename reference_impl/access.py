"""How every verb of the queue reaches the database, whoever wrote the database object."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

from . import checks, schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from pytest_taskq.contract import Connection, Database


class Access:
    """The database, with what the reference adds to the contract's tables put there before the first write."""

    # How a verb says to its back end what it checked; another back end has other words.
    _text = staticmethod(checks.text)
    _error_text = staticmethod(checks.error_text)
    _json_object = staticmethod(checks.json_object)
    _is_storable = staticmethod(checks.is_storable)
    _later: ClassVar[Callable[[float], str | float]] = staticmethod(checks.later)
    _earlier: ClassVar[Callable[[float], str | float]] = staticmethod(checks.earlier)

    def __init__(self, db: Database) -> None:
        self.db = db
        self._has_extras = False

    def _read(self) -> AbstractContextManager[Connection]:
        return self.db.connection()

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with self.db.transaction() as connection:
            self._extend(connection)
            yield connection
        self._has_extras = True  # and not before the commit: a rollback takes them away again

    def _extend(self, connection: Connection) -> None:
        if not self._has_extras and not schema.has_extras(connection):
            schema.add_extras(connection)
