"""What each transaction of a call left behind, told by the database and not by the code that wrote it.

On PostgreSQL a trigger notes what it deletes; on SQLite its write-ahead log is read.

The log holds every change in the order of the commits, and the frame that ends a transaction is marked
(https://sqlite.org/fileformat2.html#walformat). The database file with the log cut after such a frame is the database
as it stood after that transaction, whoever wrote it, through whatever driver, connection, thread or process.
"""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from pytest_taskq.subject import NotJudgedError
from pytest_taskq.subject.store import POSTGRESQL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from pytest_taskq.subject import QueueUnderTest

_HEADER, _FRAME = 32, 24
_LEFT = "SELECT count(*) FROM task_queue"


class Transactions(Protocol):
    """The transactions that a call committed, in their order."""

    @property
    def number(self) -> int:
        """How many there were."""
        ...

    def largest_loss(self, limit: int) -> tuple[int, int] | None:
        """Return the number of one that took more than ``limit`` tasks away and how many it took, None if none did."""
        ...


def transactions_of(queue: QueueUnderTest) -> AbstractContextManager[Transactions]:
    """Return a context that yields what is filled, at its end, with the transactions committed meanwhile."""
    if queue.store.backend == POSTGRESQL:
        from pytest_taskq.postgres.deletions import deletions_noted

        return deletions_noted(queue.plain)
    return commits_kept(queue)


def commit_ends(log: bytes) -> list[int]:
    """Return, for each transaction in a write-ahead log, the length of the log up to its end."""
    if len(log) < _HEADER:
        return []
    page_size, _, *salt = struct.unpack(">4I", log[8:24])
    ends = []
    for begin in range(_HEADER, len(log) - _FRAME - page_size + 1, _FRAME + page_size):
        _, pages_after_commit, *its_salt = struct.unpack(">4I", log[begin : begin + 16])
        if its_salt != salt:  # left over from an earlier use of the file
            break
        if pages_after_commit:
            ends.append(begin + _FRAME + page_size)
    return ends


@dataclass
class Commits:
    """The transactions of one call in their order; ``count`` looks into the database as it stood after one of them."""

    folder: Path
    database: bytes = b""
    log: bytes = b""
    ends: list[int] = field(default_factory=list)

    @property
    def number(self) -> int:
        """How many there were."""
        return len(self.ends)

    def largest_loss(self, limit: int) -> tuple[int, int] | None:
        """Return the number of one that took more than ``limit`` tasks away and how many it took, None if none did."""
        return largest_step(lambda one: self.count(one, _LEFT), self.number, limit)

    def count(self, number: int, query: str) -> int:
        """Return what ``query`` counts after ``number`` transactions of the call; 0 is before the first."""
        image = self.folder / "image.db"
        image.write_bytes(self.database)
        image.with_name("image.db-wal").write_bytes(self.log[: self.ends[number - 1]] if number else b"")
        with closing(sqlite3.connect(image)) as connection:
            return int(connection.execute(query).fetchone()[0])


@contextmanager
def commits_kept(queue: QueueUnderTest) -> Iterator[Commits]:
    """Yield what is filled, at the end, with the transactions committed meanwhile.

    A reader of the kit's own stands open, so that no checkpoint can move a change out of the log: a reader that began
    on an empty log reads the file itself, and then the file must not be written. Raises NotJudgedError for a database
    without a write-ahead log.
    """
    mode = queue.sql("PRAGMA journal_mode")[0][0]
    if mode != "wal":
        raise NotJudgedError(f"the transactions are read from the write-ahead log, and the journal mode is {mode}")
    log = queue.path.with_name(f"{queue.path.name}-wal")
    queue.sql("PRAGMA wal_checkpoint(TRUNCATE)")
    with closing(sqlite3.connect(queue.path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM task_queue").fetchone()
        if log.exists() and log.stat().st_size:
            raise NotJudgedError(
                "the write-ahead log could not be emptied before the call: a connection still reads it"
            )
        kept = Commits(queue.path.parent)
        yield kept
        kept.database, kept.log = queue.path.read_bytes(), log.read_bytes() if log.exists() else b""
    kept.ends = commit_ends(kept.log)


def largest_step(count: Callable[[int], int], last: int, limit: int) -> tuple[int, int] | None:
    """Return the number of a transaction that took more than ``limit`` and how many it took, None if none did.

    ``count`` says how many are left after a number of transactions, from 0 to ``last``; it falls. Where it falls by no
    more than the limit over many transactions none of them is looked at.
    """
    known: dict[int, int] = {}

    def left(number: int) -> int:
        if number not in known:
            known[number] = count(number)
        return known[number]

    open_spans = [(0, last)]
    while open_spans:
        low, high = open_spans.pop()
        taken = left(low) - left(high)
        if taken <= limit:
            continue
        if high - low == 1:
            return high, taken
        middle = (low + high) // 2
        open_spans += [(middle, high), (low, middle)]
    return None
