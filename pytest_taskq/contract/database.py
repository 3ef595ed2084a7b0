"""What the kit and the other teams need of a database object, whoever wrote it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager


class Row(Protocol):
    """A result row: answers to index and to column name."""

    def __getitem__(self, key: int | str, /) -> Any: ...  # noqa: ANN401 - a column may hold anything

    def keys(self) -> Sequence[str]:
        """Return the column names in order."""
        ...


class Cursor(Protocol):
    """What ``execute`` returns."""

    @property
    def rowcount(self) -> int:
        """Rows changed, -1 for a query."""
        ...

    def fetchone(self) -> Any:  # noqa: ANN401 - a row of unknown columns
        """Return the next row or None."""
        ...

    def fetchall(self) -> list[Any]:
        """Return the remaining rows."""
        ...

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """A connection as ``transaction()`` and ``connection()`` yield it."""

    def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ..., /) -> Cursor:
        """Run one statement."""
        ...


class Database(Protocol):
    """What ``open_database()`` returns: the one door to the shared tables."""

    def initialize_schema(self) -> object:
        """Create what is missing; safe to call again, and from many processes at once."""
        ...

    def transaction(self) -> AbstractContextManager[Connection]:
        """Yield a connection inside a write transaction: committed at the end, rolled back on an exception."""
        ...

    def connection(self) -> AbstractContextManager[Connection]:
        """Yield a connection for reads."""
        ...

    def close(self) -> object:
        """Close every connection it opened."""
        ...
