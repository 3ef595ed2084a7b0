"""What the server itself says of the connections to a schema: which there are, and which waits for which."""

from __future__ import annotations

from time import monotonic, sleep
from typing import TYPE_CHECKING

from pytest_taskq.postgres.server import connected

if TYPE_CHECKING:
    from collections.abc import Collection

_PATIENCE = 5.0  # seconds for a server process to end
_PAUSE = 0.0002
_BLOCKERS = "SELECT pg_blocking_pids(%s)"
# Who wrote, or locked a row, holds a lock on the number of its transaction.
_HELD = "SELECT count(*) FROM pg_locks WHERE pid = ANY(%s) AND locktype <> 'virtualxid' AND mode <> 'AccessShareLock'"
_ALIVE = "SELECT count(*) FROM pg_stat_get_activity(NULL) WHERE pid = ANY(%s)"
# Not the view over it, which joins what nobody asked for.
_PRESENT = "SELECT pid FROM pg_stat_get_activity(NULL) WHERE application_name = %s"
_END = "SELECT pg_terminate_backend(pid) FROM pg_stat_get_activity(NULL) WHERE pid = ANY(%s)"


class Backends:
    """The server processes behind connections to ``schema``, known by their ids; asked by a connection of the kit's."""

    def __init__(self, dsn: str, schema: str) -> None:
        self._schema = schema
        self._connection = connected(dsn)

    def blockers(self, backend: int) -> list[int]:
        """Return for whose locks a server process waits now, in a queue before it or holding; [] if for nobody's."""
        row = self._connection.execute(_BLOCKERS, (backend,), prepare=True).fetchone()
        return list(row[0]) if row is not None else []

    def have_only_read(self, backends: Collection[int]) -> bool:
        """Whether the open transactions of server processes have read and done nothing else, as their locks say."""
        row = self._connection.execute(_HELD, (list(backends),), prepare=True).fetchone()
        return not (row and row[0])

    def present(self) -> set[int]:
        """Return those of now that carry the schema's name."""
        found = self._connection.execute(_PRESENT, (self._schema,), prepare=True).fetchall()
        return {row[0] for row in found}

    def end(self, backends: Collection[int]) -> None:
        """End them, and return when they are gone."""
        self._connection.execute(_END, (list(backends),))
        self.wait_until_gone(backends)

    def wait_until_gone(self, backends: Collection[int]) -> None:
        """Return when none of ``backends`` is there any more, so that what each had open is undone."""
        deadline = monotonic() + _PATIENCE
        while backends and self._alive(backends) and monotonic() < deadline:
            sleep(_PAUSE)

    def _alive(self, backends: Collection[int]) -> bool:
        row = self._connection.execute(_ALIVE, (list(backends),), prepare=True).fetchone()
        return bool(row and row[0])

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
