"""The clock that a test moves by hand."""

from __future__ import annotations

import math
import threading
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, Self

from pytest_taskq.clock import python_time, sqlite_functions
from pytest_taskq.clock.in_force import IN_FORCE, ClockUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    Means = Literal["auto", "vfs", "functions"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND
_START = datetime(2030, 12, 31, 23, 59, 50, tzinfo=UTC)  # minute, hour, day, month and year soon turn over
_INSTALLING = threading.Lock()


class VirtualClock:
    """Within ``with clock:`` Python and SQLite read ``clock``, which stands still until ``advance``.

    ``start`` is aware; ``means`` says how SQLite is reached: through its VFS, by functions on each connection, or the
    first of these that works. Time is kept in whole milliseconds, SQLite's own grain. A clock may be entered again
    and goes on where it stood. ClockUnavailableError where the means are out of reach.
    """

    def __init__(self, start: datetime = _START, means: Means = "auto") -> None:
        if start.utcoffset() is None:
            raise ValueError(f"start is {start!r}, which names no moment without a time zone; pass tzinfo=UTC")
        if means not in ("auto", "vfs", "functions"):
            raise ValueError(f"means is {means!r}; it is one of 'auto', 'vfs', 'functions'")
        self.milliseconds = (start - _EPOCH) // _MILLISECOND
        self.follows: Callable[[], int] | None = None  # what Python and SQLite read instead, in milliseconds
        self._wanted = means
        self._means: Literal["vfs", "functions"] | None = None
        self._why_functions = "as asked"
        self._advancing = threading.Lock()
        self._installed = ExitStack()

    @property
    def seconds(self) -> float:
        """Seconds since 1970-01-01 UTC, as ``time.time()`` gives them."""
        return self.milliseconds / 1000

    @property
    def means(self) -> Literal["vfs", "functions"]:
        """How SQLite is reached, or was when the clock was last installed."""
        if self._means is None:
            raise RuntimeError("the clock was not installed yet, so its means are undecided; use `with clock:` first")
        return self._means

    def reading(self) -> int:
        """Return what Python and SQLite read, in milliseconds since 1970-01-01 UTC."""
        follows = self.follows  # read once: another thread may end it between two reads
        return self.milliseconds if follows is None else follows()

    def now(self) -> datetime:
        """Return the virtual moment in UTC."""
        return _EPOCH + timedelta(milliseconds=self.milliseconds)

    def advance(self, seconds: float) -> None:
        """Move the clock forward, to the nearest millisecond; any thread may."""
        if not math.isfinite(seconds) or seconds < 0:
            raise ValueError(f"advance({seconds!r}): a clock moves forward by a finite number of seconds, 0 or more")
        with self._advancing:
            moved = self.milliseconds + round(seconds * 1000)
            if moved > _LAST:
                raise ValueError(f"advance({seconds!r}) leads beyond the year 9999, where datetime and SQLite end")
            self.milliseconds = moved

    def describe(self) -> str:
        """Say in one line what reads this clock."""
        sqlite = "SQLite's clock through its VFS (ctypes)"
        if self.means == "functions":
            sqlite = f"SQLite's date functions replaced per connection ({self._why_functions})"
        return f"{sqlite}, {python_time.describe()}"

    def unseen_connections(self) -> int:
        """Count open connections that SQLite's virtual time does not reach; none through the VFS. Slow: for reports."""
        return 0 if self.means == "vfs" else sqlite_functions.unseen_connections()

    def __enter__(self) -> Self:
        with _INSTALLING:
            if IN_FORCE.clock is not None:
                raise RuntimeError(
                    f"a virtual clock is in force already ({IN_FORCE.clock!r}). The process has one time, so two "
                    "clocks would contradict each other. Leave the first `with` before entering another, or share it.",
                )
            with ExitStack() as installed:
                IN_FORCE.clock = self
                installed.callback(setattr, IN_FORCE, "clock", None)
                self._install_sqlite(installed)
                installed.enter_context(python_time.virtual_python_time())
                self._installed = installed.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with _INSTALLING:
            self._installed.close()

    def __repr__(self) -> str:
        return f"<VirtualClock {self.now():%Y-%m-%d %H:%M:%S}>"

    def _install_sqlite(self, installed: ExitStack) -> None:
        if self._wanted != "functions":
            try:
                self._install_vfs(installed)
            except ClockUnavailableError as error:
                if self._wanted == "vfs":
                    raise
                self._why_functions = error.reason
            else:
                return
        installed.enter_context(sqlite_functions.virtual_sqlite_time())
        self._means = "functions"

    def _install_vfs(self, installed: ExitStack) -> None:
        try:
            from pytest_taskq.clock import sqlite_vfs
        except ImportError as error:
            raise ClockUnavailableError(
                f"SQLite's clock cannot be replaced through its VFS (no ctypes: {error})",
                "Use VirtualClock(means='functions').",
            ) from error
        installed.enter_context(sqlite_vfs.virtual_sqlite_time())
        self._means = "vfs"
