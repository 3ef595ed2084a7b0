"""Counts the rows that statements read: a number without a clock, whoever ran them, through whatever driver.

The server counts for each table the rows that sequential scans gave, and for each index the entries that scans of it
gave, those read inside functions and triggers included (https://www.postgresql.org/docs/current/monitoring-stats.html).
What a session counted is there for others at the latest when the session has ended. Two runs of a statement may differ
by a row or two: the planner itself looks at the ends of an index.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pytest_taskq.postgres.plain import PostgresSql
from pytest_taskq.postgres.server import connected
from pytest_taskq.subject.violation import UnsupportedError

if TYPE_CHECKING:
    from pytest_taskq.postgres.stores import ServerStore
    from pytest_taskq.subject import QueueUnderTest

_SINCE = 150_000  # before, counts went through a process that could be late, and lose some
# What the kit has put there (its clock) is none of the code's work.
_COUNTS = r"""
    SELECT relname || ', row by row', seq_tup_read FROM pg_stat_all_tables
    WHERE schemaname = %(schema)s AND relname NOT LIKE 'taskq\_%%'
    UNION ALL SELECT relname || ', through ' || indexrelname, idx_tup_read FROM pg_stat_all_indexes
    WHERE schemaname = %(schema)s AND relname NOT LIKE 'taskq\_%%'
"""


class RowMeter:
    """What was read in one schema since the last look. Raises UnsupportedError where the server does not say."""

    def __init__(self, store: ServerStore) -> None:
        self._schema = store.schema
        self._connection = connected(store.dsn)
        version, counted = self._connection.info.server_version, self._setting("track_counts")
        if version < _SINCE or counted != "on":
            self.close()
            raise UnsupportedError(
                f"the rows that a call reads are told by PostgreSQL 15 and newer with track_counts=on, and the server "
                f"is of version {version // 10_000} with track_counts={counted}"
            )
        self._last = self._counts()

    def read(self) -> Counter[str]:
        """Return the rows read since the last look by sessions that have ended, by where and how they were found."""
        counts = self._counts()
        last, self._last = self._last, counts
        return counts - last

    def close(self) -> None:
        """Close the connection that looks."""
        self._connection.close()

    def _setting(self, name: str) -> str:
        return str((self._connection.execute(f"SHOW {name}").fetchone() or ("",))[0])

    def _counts(self) -> Counter[str]:
        rows = self._connection.execute(_COUNTS, {"schema": self._schema}).fetchall()
        return Counter({row[0]: row[1] or 0 for row in rows})


def end_sessions(queue: QueueUnderTest, store: ServerStore) -> None:
    """End the sessions of an actor, of the code's and of the kit's, so that what they read is counted."""
    sql = queue.plain
    backends = [sql.backend] if isinstance(sql, PostgresSql) else []
    queue.close_actor()
    store.end_connections(backends)
