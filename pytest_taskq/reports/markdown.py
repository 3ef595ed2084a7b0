"""Tables in Markdown, for the pages that are generated."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table, and an empty one after it; a bar in a cell is escaped."""
    yield _cells(head)
    yield _cells(["---"] * len(head))
    yield from map(_cells, rows)
    yield ""


def _cells(cells: Iterable[str]) -> str:
    escaped = (cell.replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"
