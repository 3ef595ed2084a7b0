"""What a hook on a database driver tells: a statement before it runs, and what came of it afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement about to run on ``connection``; ``stoppable`` says whether raising keeps it from running.

    ``parameters`` is what the call was given, () where only the trace saw it: its text has the values in it then.
    """

    connection: Any
    sql: str
    parameters: Any = ()
    stoppable: bool = True


class StatementListener(Protocol):
    """What the hook tells; each method is called in the thread that runs the statement."""

    def opened(self, connection: Any, *, rows_seen: bool) -> None:  # noqa: ANN401 - of any driver
        """Learn of a new connection; ``rows_seen`` is whether rows and errors will be told beside statements."""
        ...

    def begins(self, statement: Statement) -> None:
        """Return when the statement may run; what it raises comes out of the call if the statement is stoppable."""
        ...

    def ended(self, statement: Statement, seen: object) -> None:
        """Learn that a call ended, with what its caller can see of it beside the rows (row count, last row id)."""
        ...

    def failed(self, statement: Statement, error: Any) -> bool:  # noqa: ANN401 - of any driver
        """Learn that a call failed; True runs the statement again."""
        ...

    def fetched(self, connection: Any, rows: Sequence[object]) -> None:  # noqa: ANN401 - of any driver
        """Learn of rows that the caller was given."""
        ...

    def closing(self, connection: Any) -> None:  # noqa: ANN401 - of any driver
        """Learn that a connection is about to be closed, which rolls back what is open on it."""
        ...
