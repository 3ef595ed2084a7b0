"""``taskq explain``: a requirement as it is read at night, next to a failure."""

from __future__ import annotations

import shutil
import sys
from difflib import get_close_matches
from textwrap import wrap
from typing import TYPE_CHECKING

from pytest_taskq.cli.output import show
from pytest_taskq.contract.bugs import address_of
from pytest_taskq.contract.requirements import REQUIREMENTS, SECTIONS
from pytest_taskq.review.catalogue import RULES

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from pytest_taskq.cli.output import Line
    from pytest_taskq.contract import Requirement
    from pytest_taskq.contract.snippets import Snippet
    from pytest_taskq.review.catalogue import Rule

_LABEL = 12
_WIDEST = 100


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("ids", nargs="*", metavar="ID", help="for instance CLM-02; without one, all are listed")


def run(arguments: argparse.Namespace) -> int:
    """Print the requirements named, or one line for each of them all; 2 if one is unknown, and then nothing else."""
    names = [name.upper() for name in arguments.ids]
    unknown = [name for name in names if name not in REQUIREMENTS and name not in RULES]
    if unknown:
        sys.stderr.write("".join(f"taskq: {_unknown(name)}\n" for name in unknown))
        return 2
    show(_explained(names) if names else _listed())
    return 0


def _unknown(name: str) -> str:
    close = get_close_matches(name, [*REQUIREMENTS, *RULES], n=3)
    hint = f"; close to it are {', '.join(close)}" if close else ""
    return f"the contract has no requirement {name!r}{hint}. `taskq explain` lists all {len(REQUIREMENTS)}."


def _listed() -> Iterator[Line]:
    for number, (title, requirements) in enumerate(SECTIONS.items()):
        if number:
            yield "", ""
        yield from ((line, "bold") for line in wrap(title, _width(), break_on_hyphens=False))
        for one in requirements:
            yield f"{one.id}  {one.level:<6}  {one.text}", ""


def _explained(names: Sequence[str]) -> Iterator[Line]:
    for number, name in enumerate(names):
        if number:
            yield "", ""
        yield from _rule(RULES[name]) if name in RULES else _one(REQUIREMENTS[name])


def _rule(rule: Rule) -> Iterator[Line]:
    yield f"{rule.id}  {rule.level}  review", "bold"
    for line in wrap(rule.text, _width(), break_on_hyphens=False):
        yield line, ""
    yield "", ""
    yield from _field("applies to", rule.applies_to)
    yield from _field("why", rule.harm)
    for label, code in (("wrong", rule.wrong), ("right", rule.right)):
        yield label, ""
        yield from ((f"    {line}", "") for line in code.splitlines())


def _one(one: Requirement) -> Iterator[Line]:
    yield f"{one.id}  {one.level}  {one.role}", "bold"
    for line in wrap(one.text, _width(), break_on_hyphens=False):
        yield line, ""
    yield "", ""
    yield from _field("grades", ", ".join(one.grades))
    yield from _field("judged by", ", ".join(one.instruments))
    if one.needs:
        yield from _field("needs", ", ".join(one.needs))
    yield from _field("why", one.why)
    yield from _points("look at", one.look_at)
    yield from _points("real bugs", [address_of(bug) for bug in one.bugs])
    yield from _points("mutants", [f"{name}: {does}" for name, does in one.mutants.items()])
    if one.snippet:
        yield from _snippet(one.snippet)


def _snippet(snippet: Snippet) -> Iterator[Line]:
    parts = {"both use:": snippet.shared, "broken:": snippet.broken, f"corrected: {snippet.says}": snippet.corrected}
    for title, source in parts.items():
        if not source:
            continue
        yield "", ""
        yield from ((line, "bold") for line in wrap(title, _width(), break_on_hyphens=False))
        yield from ((f"    {line}", "") for line in source.splitlines())


def _field(label: str, text: str, mark: str = "") -> Iterator[Line]:
    first = f"{label:<{_LABEL}}{mark}"
    rest = " " * len(first)
    for line in wrap(text, _width(), initial_indent=first, subsequent_indent=rest, break_on_hyphens=False):
        yield line, ""


def _points(label: str, points: Sequence[str]) -> Iterator[Line]:
    for number, point in enumerate(points):
        yield from _field("" if number else label, point, mark="- ")


def _width() -> int:
    """Columns to fill: those of the terminal, but lines longer than a hand's breadth of text are hard to follow."""
    return max(40, min(_WIDEST, shutil.get_terminal_size().columns))
