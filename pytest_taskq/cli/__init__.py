"""The command ``taskq``: a thin shell that parses arguments and prints what other parts say."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from pytest_taskq.cli import check, compare, demo, doctor, explain, review, validate, verify

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
    if arguments.command == "compare":
        return compare.run(arguments.base, arguments.head, arguments.format)
    if arguments.command == "verify":
        return verify.run(arguments.place, arguments.root)
    if arguments.command == "demo":
        return demo.run(step=arguments.step)
    if arguments.command == "doctor":
        return doctor.run(arguments.adapter, arguments.dsn, arguments.role)
    return validate.run(
        arguments.path, as_json=arguments.json, benchmark=arguments.benchmark, seconds=arguments.seconds
    )


def _parsers() -> tuple[argparse.ArgumentParser, argparse.ArgumentParser]:
    """Return the parser of all commands, and the one of ``review``, whose paths and options may be mixed."""
    parser = argparse.ArgumentParser(prog="taskq", description="The contract of the task queue, and what it says.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    explained = commands.add_parser("explain", help="what a requirement says, why, and what to look at when it fails")
    explained.add_argument("ids", nargs="*", metavar="ID", help="for instance CLM-02; without one, all are listed")
    validate.add_to(commands.add_parser("validate", help="check an existing queue without changing it"))
    doctor.add_to(commands.add_parser("doctor", help="see whether an adapter can be graded here, before it is"))
    demo.add_to(commands.add_parser("demo", help="see the patterns live, and a race caught, mended and replayed"))
    checked = commands.add_parser("check", help="judge a recorded history again")
    checked.add_argument("file", metavar="FILE", help="the history, in JSON Lines")
    checked.add_argument(
        "--as", dest="checks", action="append", default=[], metavar="CHECK", help="instead of what the file asks for"
    )
    compared = commands.add_parser("compare", help="what changed from one report to the next; 1 if something is worse")
    compared.add_argument("base", metavar="BASE", help="report.json before the change, or its folder")
    compared.add_argument("head", metavar="HEAD", help="report.json after it, or its folder")
    compared.add_argument("--format", choices=compare.FORMATS, default="text", help="markdown is for a comment")
    verified = commands.add_parser("verify", help="compute again what a report claims, as far as that can be")
    verified.add_argument("place", metavar="DIR", help="the folder of the report, or its report.json")
    verified.add_argument("--root", default=".", metavar="PATH", help="the project that was graded; here if not given")
    reviewing = commands.add_parser("review", help="the code review checklist on your sources")
    review.add_arguments(reviewing)
    return parser, reviewing
