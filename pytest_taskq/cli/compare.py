"""``taskq compare``: what a change made of the verdicts and of the latencies."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_taskq.cli.output import show

if TYPE_CHECKING:
    from pytest_taskq.reports.comparison import Comparison

FORMATS = ("text", "markdown", "json")


def run(base: str, head: str, form: str = "text") -> int:
    """Print what changed from the report ``base`` to ``head``; 0 nothing is worse, 1 something is, 2 unread."""
    from pytest_taskq.reports.comparison import compare
    from pytest_taskq.reports.stored_report import ReportFileError, read_report

    try:
        comparison = compare(read_report(Path(base)), read_report(Path(head)))
    except ReportFileError as error:
        sys.stderr.write(f"taskq: {error}\n")
        return 2
    _show(comparison, form)
    return 1 if comparison.worse else 0


def _show(comparison: Comparison, form: str) -> None:
    from pytest_taskq.reports.comparison_views import as_plain, markdown, text_lines

    if form == "json":
        sys.stdout.write(f"{json.dumps(as_plain(comparison), indent=2)}\n")
    elif form == "markdown":
        sys.stdout.write(markdown(comparison))
    else:
        show(text_lines(comparison), wrapped=True)
