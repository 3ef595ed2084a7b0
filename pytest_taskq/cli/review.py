"""``taskq review``: the code review checklist on sources."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pytest_taskq.cli.output import show

if TYPE_CHECKING:
    import argparse

    from pytest_taskq.review.finding import Review

_FORMATS = ("text", "json", "sarif", "github")


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("paths", nargs="*", default=["."], metavar="PATH", help="files and folders; this one if none")
    parser.add_argument("--format", choices=_FORMATS, default="text", help="for whom: a person, a program, a code host")
    parser.add_argument("--strict", action="store_true", help="fail on a SHOULD, too")
    parser.add_argument("--max-annotations", type=int, metavar="N", help="with --format=github; all if not given")
    parser.add_argument("-v", "--verbose", action="store_true", help="list what was not checked, and why")


def run(arguments: argparse.Namespace) -> int:
    """Print the review; 0 without findings, 1 with one on a MUST (under ``--strict`` on any), 2 if it could not run."""
    from pytest_taskq.review.reviewing import review_paths
    from pytest_taskq.review.sql import MissingParserError

    try:
        review = review_paths(arguments.paths)
    except (MissingParserError, OSError) as error:
        sys.stderr.write(f"taskq: {error}\n")
        return 2
    _print(review, arguments)
    return int(review.fails(strict=arguments.strict))


def _print(review: Review, arguments: argparse.Namespace) -> None:
    from pytest_taskq.review.formats import github, json, sarif, text

    if arguments.format == "text":
        show(text.lines(review, verbose=arguments.verbose))
    elif arguments.format == "github":
        sys.stdout.write(github.render(review, arguments.max_annotations))
    else:
        sys.stdout.write((json if arguments.format == "json" else sarif).render(review))
