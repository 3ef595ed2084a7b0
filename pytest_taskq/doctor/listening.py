"""Counting the statements of a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_taskq.statements import Statement


class _Counting:
    """Counts, and lets everything run."""

    def __init__(self) -> None:
        self.count = 0

    def opened(self, connection: Any, *, rows_seen: bool) -> None:  # noqa: ANN401 - of any driver
        """Nothing to note."""

    def begins(self, statement: Statement) -> None:
        """Count it."""
        del statement
        self.count += 1

    def ended(self, statement: Statement, seen: object) -> None:
        """Nothing to note."""

    def failed(self, statement: Statement, error: Any) -> bool:  # noqa: ANN401 - of any driver
        """Run nothing again."""
        del statement, error
        return False

    def fetched(self, connection: Any, rows: Sequence[object]) -> None:  # noqa: ANN401 - of any driver
        """Nothing to note."""

    def closing(self, connection: Any) -> None:  # noqa: ANN401 - of any driver
        """Nothing to note."""


def statements_of(work: Callable[[], object]) -> int:
    """Return how many statements ``work`` runs on connections of Python's sqlite3 that it opens."""
    from pytest_taskq.sqlite.statements import HOOK

    counting = _Counting()
    with HOOK.telling(counting):
        work()
    return counting.count
