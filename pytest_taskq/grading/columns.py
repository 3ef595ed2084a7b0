"""How wide what a run says may be."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

_SENT = "taskq_columns"


def columns_of(config: pytest.Config) -> int | None:
    """Return the width of the terminal; None for a file or a pipe, whose reader looks for whole lines.

    A worker of pytest-xdist has no terminal and says what its controller sent it.
    """
    sent: dict[str, Any] | None = getattr(config, "workerinput", None)
    if sent is not None:
        return sent.get(_SENT)
    reporter = config.pluginmanager.getplugin("terminalreporter")
    shown = getattr(reporter, "isatty", False) or "COLUMNS" in os.environ
    return config.get_terminal_writer().fullwidth if shown else None


def send_columns(config: pytest.Config, node: Any) -> None:  # noqa: ANN401 - pytest-xdist's, which may not be installed
    """Let a worker know the width of the terminal that its failures are shown on."""
    node.workerinput[_SENT] = columns_of(config)
