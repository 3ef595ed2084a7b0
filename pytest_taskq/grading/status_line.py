"""One line on a terminal that says what a long check is at; gone before pytest writes anything else."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from time import monotonic
from typing import TYPE_CHECKING

from pytest_taskq.reports.terminal import fitted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

_EVERY = 0.2  # seconds
_ERASE = "\r\x1b[K"
_UP = "\x1b[1A"
_NARROWEST = 20
_MARGIN = 1  # a terminal may begin a new line as soon as its last column is written


class StatusLine:
    """Written below the line that pytest is at, so that nothing of that is touched.

    ``columns`` is how wide the terminal is, ``column`` how many columns of its line pytest has written.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        columns: Callable[[], int],
        column: Callable[[], int],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._write = write
        self._columns = columns
        self._column = column
        self._clock = clock
        self._head = ""
        self._began = 0.0
        self._last = 0.0
        self._back = ""

    @contextmanager
    def about(self, head: str) -> Iterator[None]:
        """Say of what is shown meanwhile that it is ``head``, then erase it."""
        self._head, self._began = head, self._clock()
        self._last = self._began  # what is over soon is not shown at all
        try:
            yield
        finally:
            if self._back:
                self._write(self._back)
            self._head = self._back = ""

    def show(self, doing: str) -> None:
        """Show what is being done, unless it was shown just now."""
        now = self._clock()
        if not self._head or now - self._last < _EVERY:
            return
        self._last = now
        if not self._back:
            self._back = self._way_back()
            self._write("\n" if self._back else "")
        if self._back:
            self._write(_ERASE + self._text(doing, now - self._began))

    def _way_back(self) -> str:
        """Return what erases the line and goes back to where pytest was; "" where that cannot be told."""
        column, columns = self._column(), self._columns()
        if columns < _NARROWEST:
            return ""
        if column and column % columns == 0:  # the cursor is in the last column, or in the first one of the next line
            return ""
        return f"{_ERASE}{_UP}\x1b[{column % columns + 1}G"

    def _text(self, doing: str, seconds: float) -> str:
        said = [self._head, *([doing] if doing else [])]
        tail = f" ({seconds:.0f} s)"
        room = max(self._columns(), _NARROWEST) - _MARGIN - len(tail)
        text = ": ".join(said)
        return (text if len(text) <= room else f"{text[: room - 3]}...") + tail


@contextmanager
def on_terminal(config: pytest.Config) -> Iterator[StatusLine | None]:
    """Yield the line, None where there is no terminal of its own for it or nobody asked to see much."""
    if not _is_wanted(config) or sys.__stdout__ is None:
        yield None
        return
    terminal = os.dup(sys.__stdout__.fileno())  # what is behind the number itself is a file while a test is captured
    writer = config.get_terminal_writer()
    encoding = sys.__stdout__.encoding

    def write(text: str) -> None:
        with suppress(OSError):  # a terminal that is gone is no reason to judge otherwise
            os.write(terminal, fitted(text, encoding).encode(encoding, "replace"))

    def columns() -> int:
        with suppress(OSError):
            return os.get_terminal_size(terminal).columns
        return 0

    try:
        yield StatusLine(write, columns, lambda: writer.width_of_current_line)
    finally:
        os.close(terminal)


def _is_wanted(config: pytest.Config) -> bool:
    reporter = config.pluginmanager.getplugin("terminalreporter")
    live = config.getini("log_cli") or config.getoption("log_cli_level", None)
    return (
        not hasattr(config, "workerinput")
        and bool(getattr(reporter, "isatty", False))
        and config.get_verbosity() >= 0
        and config.getoption("capture", "no") in ("fd", "sys")  # else what the code prints stands on the same screen
        and not live
        and not {"CI", "BUILD_NUMBER"} & set(os.environ)
        and os.environ.get("TERM", "dumb") != "dumb"  # which Windows does not set: its consoles differ
        and _is_terminal(sys.__stdout__)
    )


def _is_terminal(stream: object) -> bool:
    try:
        return bool(os.isatty(stream.fileno()))  # type: ignore[attr-defined]  # None has none
    except (AttributeError, OSError, ValueError):
        return False
