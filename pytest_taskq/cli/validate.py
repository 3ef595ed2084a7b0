"""``taskq validate``: the infrastructure's checks on a queue that already exists."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from pytest_taskq.cli.output import show

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_taskq.cli.output import Line
    from pytest_taskq.reference_impl import Check, ValidationReport
    from pytest_taskq.reference_impl.validation.timing import Timed

_STYLES = {"ok": "", "not checked": "yellow", "WRONG": "bold red"}


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "path",
        metavar="PATH|DSN",
        nargs="?",
        help="the SQLite file, sqlite:///path or postgresql://… of the queue; none: a fresh one of the reference's own",
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--benchmark", action="store_true", help="time the operations on a scratch copy, too")
    parser.add_argument(
        "--seconds", type=float, default=10.0, metavar="N", help="most for the integrity check, and for the rows (10)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the report on the queue; 0 valid, 1 not, 2 could not be looked at. Nothing of it is changed."""
    from pytest_taskq.reference_impl.validation import validate, validate_and_time

    path, benchmark, seconds = arguments.path, arguments.benchmark, arguments.seconds
    timed: Sequence[Timed] = ()
    if benchmark and path is not None:
        report, timed = validate_and_time(path, seconds=seconds)
    else:
        report = validate(path, seconds=seconds)
    if arguments.json:
        plain = {**report.as_plain(), **({"benchmark": [asdict(one) for one in timed]} if benchmark else {})}
        sys.stdout.write(json.dumps(plain, indent=2, ensure_ascii=False) + "\n")
    else:
        show([*_lines(report), *_timing_lines(timed, asked=benchmark)])
    return report.exit_code


def _lines(report: ValidationReport) -> Iterator[Line]:
    for one in report.checks:
        yield from _check_lines(one)
    if report.checks:
        yield "", ""
    end = f"{report.place}: {report.verdict}" + (f": {report.obstacle}" if report.obstacle else "")
    yield end, "bold green" if report.ok else "bold red"


def _check_lines(one: Check) -> Iterator[Line]:
    style = _STYLES[one.verdict]
    yield f"{one.verdict:<11} {one.requirement} {one.area:<13} {one.name}", style
    yield from ((f"{'':<33}{part}", style) for part in one.detail.split("; ") if part)


def _timing_lines(timed: Iterable[Timed], *, asked: bool) -> Iterator[Line]:
    timed = list(timed)
    if not asked:
        return
    yield "", ""
    if not timed:
        yield "nothing was timed: that is done on a scratch copy of a valid SQLite file", "yellow"
        return
    yield f"{'milliseconds, on a scratch copy':<33}{'p50':>9}{'p95':>9}{'p99':>9}", "bold"
    for one in timed:
        yield f"{one.name:<33}{one.p50 * 1000:>9.3f}{one.p95 * 1000:>9.3f}{one.p99 * 1000:>9.3f}", ""
