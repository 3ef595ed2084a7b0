"""Waiting for work."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from .access import Access
from .schema import WAITING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from pytest_taskq.contract import Connection

PAUSE = (0.001, 0.05)  # seconds between looks: the first, and what they grow to

_NOW = "SELECT datetime('now')"
# Whether a delay or a lease came to its end after the last look.
_CAME_DUE = f"""
    SELECT EXISTS (
        SELECT 1 FROM task_queue INDEXED BY reference_waiting
        WHERE {WAITING}
            AND ifnull(run_after_utc, '') > :looked AND ifnull(run_after_utc, '') <= datetime('now')
    ) OR EXISTS (
        SELECT 1 FROM task_queue INDEXED BY reference_leased
        WHERE status = 'leased' AND lease_until_utc > :looked AND lease_until_utc <= datetime('now')
    )
"""


class Waiter(Protocol):
    """What waits for work, for use by one thread."""

    def wait(self, seconds: float) -> bool:
        """Return True as soon as a task may have become claimable since the last wait, False after ``seconds``.

        It may be True for nothing: claim, and wait again.
        """
        ...


class Waiting(Access):
    """How a worker without work waits for some."""

    @contextmanager
    def waiter(self) -> Iterator[Waiter]:
        """Yield what waits for work; open it before the claim that comes back empty.

        ``while (task := queue.claim_task(...)) is None: waiter.wait(30)``
        """
        with self._write():  # what it looks at is there from now on
            pass
        yield _Polling(self._read)


class _Polling:
    """Looks again and again, ever less often, whether anybody committed anything: SQLite has no way to tell."""

    def __init__(self, read: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._read = read
        with read() as connection:
            self._version = _version(connection)
            self._looked = connection.execute(_NOW).fetchone()[0]

    def wait(self, seconds: float) -> bool:
        deadline, pause = time.monotonic() + seconds, PAUSE[0]
        while not self._has_changed():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(pause, left))
            pause = min(1.5 * pause, PAUSE[1])
        return True

    def _has_changed(self) -> bool:
        with self._read() as connection:
            version, now = _version(connection), connection.execute(_NOW).fetchone()[0]
            came_due = connection.execute(_CAME_DUE, {"looked": self._looked}).fetchone()[0]
        changed = version != self._version or bool(came_due)
        if came_due:
            self._looked = now
        self._version = version
        return changed


def _version(connection: Connection) -> int:
    """Return a number that changes when another connection commits."""
    version: int = connection.execute("PRAGMA data_version").fetchone()[0]
    return version
