"""Rows that answer to index and to column name, as those of SQLite do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from psycopg import Cursor


class Row:
    """One row of a result; it unpacks and compares like a tuple of its values."""

    __slots__ = ("_places", "_values")

    def __init__(self, values: Sequence[Any], places: dict[str, int]) -> None:
        self._values = tuple(values)
        self._places = places

    def __getitem__(self, key: int | str) -> Any:  # noqa: ANN401 - a column may hold anything
        return self._values[self._places[key] if isinstance(key, str) else key]

    def keys(self) -> list[str]:
        """Return the column names in order."""
        return list(self._places)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        return self._values == (other._values if isinstance(other, Row) else other)

    def __hash__(self) -> int:
        return hash(self._values)

    def __repr__(self) -> str:
        return f"Row({dict(zip(self._places, self._values, strict=True))!r})"


def rows_by_name(cursor: Cursor[Any]) -> Callable[[Sequence[Any]], Row]:
    """Make rows of what the cursor fetches: a row factory of psycopg."""
    result = cursor.pgresult
    count = 0 if result is None else result.nfields
    # Not of `cursor.description`, which works out the type of each column too: 15 us of a claim.
    places = {(result.fname(number) or b"").decode(): number for number in range(count)} if result else {}
    return lambda values: Row(values, places)
