"""``taskq compare``: what a change made of the verdicts and of the latencies."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_taskq.cli.output import show

if TYPE_CHECKING:
    import argparse

    from pytest_taskq.reports.comparison import Comparison

_FORMATS = ("text", "markdown", "json")


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("base", metavar="BASE", help="report.json before the change, or its folder")
    parser.add_argument("head", metavar="HEAD", help="report.json after it, or its folder")
    parser.add_argument("--format", choices=_FORMATS, default="text", help="markdown is for a comment")


def run(arguments: argparse.Namespace) -> int:
    """Print what changed from one report to the other; 0 nothing is worse, 1 something is, 2 unread."""
    from pytest_taskq.reports.comparison import compare
    from pytest_taskq.reports.stored_report import ReportFileError, read_report

    try:
        comparison = compare(read_report(Path(arguments.base)), read_report(Path(arguments.head)))
    except ReportFileError as error:
        sys.stderr.write(f"taskq: {error}\n")
        return 2
    _show(comparison, arguments.format)
    return 1 if comparison.worse else 0


def _show(comparison: Comparison, form: str) -> None:
    from pytest_taskq.reports.comparison_views import as_plain, markdown, text_lines

    if form == "json":
        sys.stdout.write(f"{json.dumps(as_plain(comparison), indent=2)}\n")
    elif form == "markdown":
        sys.stdout.write(markdown(comparison))
    else:
        show(text_lines(comparison), wrapped=True)
