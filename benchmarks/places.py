"""Where a candidate keeps its tasks: a file of its own, or a schema of its own on a server."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path


_TABLES = """
    SELECT quote_ident(relname) FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' ORDER BY relname
"""


class Places(Protocol):
    """Makes one empty place after the other."""

    def fresh(self, name: str, synchronous: str) -> AbstractContextManager[str]:
        """Yield a place that nobody used, as a candidate takes it: a file's path or a DSN."""

    def settle(self, place: str) -> None:
        """Do what the database does by itself in the background, sooner or later, once it was filled."""


@dataclass(frozen=True, slots=True)
class Files:
    """Files of a folder, which whoever made the folder removes."""

    folder: Path

    @contextmanager
    def fresh(self, name: str, synchronous: str) -> Iterator[str]:
        """Yield the path of a file that is not there yet; the candidate sets ``synchronous`` itself."""
        yield str(self.folder / f"{name}-{synchronous}")

    def settle(self, place: str) -> None:
        """Do nothing: SQLite has no background."""


@dataclass(frozen=True, slots=True)
class Schemas:
    """Schemas on a server, each dropped with all in it when it is left."""

    server: str

    @contextmanager
    def fresh(self, name: str, synchronous: str) -> Iterator[str]:
        """Yield the DSN of a new schema, whose connections run with ``synchronous_commit`` set so."""
        from pytest_taskq.postgres.server import schema_of_its_own

        del name
        with schema_of_its_own(self.server, options=f"-csynchronous_commit={synchronous}") as (dsn, _):
            yield dsn

    def settle(self, place: str) -> None:
        """Vacuum and analyse every table, as autovacuum does: without statistics a peer's claim may sort its queue."""
        from pytest_taskq.postgres.server import connected

        with connected(place) as connection:
            for (table,) in connection.execute(_TABLES).fetchall():
                connection.execute(f"VACUUM ANALYZE {table}")
