"""The command ``taskq``: a thin shell that parses arguments and prints what other parts say."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from pytest_taskq.cli import check, explain, review, validate

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 well, 1 something failed, 2 not understood."""
    argv = sys.argv[1:] if argv is None else argv
    parser, reviewing = _parsers()
    if list(argv[:1]) == ["review"]:
        return review.run(reviewing.parse_intermixed_args(argv[1:]))  # paths before and after options
    arguments = parser.parse_args(argv)
    if arguments.command == "explain":
        return explain.run(arguments.ids)
    if arguments.command == "check":
        return check.run(arguments.file, arguments.checks)
    return validate.run(arguments.path)


def _parsers() -> tuple[argparse.ArgumentParser, argparse.ArgumentParser]:
    """Return the parser of all commands, and the one of ``review``, whose paths and options may be mixed."""
    parser = argparse.ArgumentParser(prog="taskq", description="The contract of the task queue, and what it says.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    explained = commands.add_parser("explain", help="what a requirement says, why, and what to look at when it fails")
    explained.add_argument("ids", nargs="*", metavar="ID", help="for instance CLM-02; without one, all are listed")
    validated = commands.add_parser("validate", help="check an existing database without changing it")
    validated.add_argument("path", metavar="PATH", help="the SQLite file of the queue")
    checked = commands.add_parser("check", help="judge a recorded history again")
    checked.add_argument("file", metavar="FILE", help="the history, in JSON Lines")
    checked.add_argument(
        "--as", dest="checks", action="append", default=[], metavar="CHECK", help="instead of what the file asks for"
    )
    reviewing = commands.add_parser("review", help="the code review checklist on your sources")
    review.add_arguments(reviewing)
    return parser, reviewing
