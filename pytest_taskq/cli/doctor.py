"""``taskq doctor``: whether an adapter can be graded here, before it is; each finding with its cure."""

from __future__ import annotations

import sys
from textwrap import wrap
from typing import TYPE_CHECKING

from pytest_taskq.cli.output import show
from pytest_taskq.contract import Role

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_taskq.cli.output import Line
    from pytest_taskq.doctor.sign import Sign

_STYLES = {"ok": "", "note": "yellow", "WRONG": "bold red"}
_WIDTH = 100
_INDENT = 20


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--adapter", metavar="MODULE:CLASS", help="as pytest's --taskq-adapter; else as configured")
    parser.add_argument("--dsn", metavar="DSN", help="as pytest's --taskq-dsn")
    parser.add_argument(
        "--role",
        choices=[role.value for role in Role],
        default=Role.ENGINE.value,
        help="for whom to print the lines of a first adapter where none is named (engine)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print what was looked at; 0 nothing wrong, 1 something is, 2 there is no adapter to look at."""
    import pytest

    from pytest_taskq.doctor.plugin import Doctor

    doctor = Doctor()
    given = (("adapter", arguments.adapter), ("dsn", arguments.dsn))
    options = [f"--taskq-{name}={value}" for name, value in given if value]
    code = int(pytest.main([*options, "-p", "no:cacheprovider", "--assert=plain"], plugins=[doctor]))
    show(_lines(doctor.signs))
    if not doctor.adapter_named:
        sys.stdout.write(_first_adapter(arguments.role))
        return 2
    wrong = sum(one.state == "WRONG" for one in doctor.signs)
    show([("", ""), _result(wrong)])
    return code


def _result(wrong: int) -> Line:
    if wrong:
        return f"{wrong} to mend before it is graded", "bold red"
    return "ready: pytest --taskq-conformance -m taskq", "bold green"


def _lines(signs: Iterable[Sign]) -> Iterator[Line]:
    for one in signs:
        style = _STYLES[one.state]
        first, *rest = _wrapped(one.found)
        yield f"{one.state:<6}{one.area:<{_INDENT - 6}}{first}", style
        yield from ((f"{'':<{_INDENT}}{line}", style) for line in rest)
        yield from ((f"{'':<{_INDENT}}{line}", "") for line in _wrapped(f"-> {one.cure}") if one.cure)


def _wrapped(text: str) -> Sequence[str]:
    lines = [part for line in text.splitlines() for part in wrap(line, _WIDTH, break_long_words=False) or [""]]
    return lines or [""]


def _first_adapter(role: str) -> str:
    from pytest_taskq.doctor.beginning import beginning

    return f"\nNo adapter is named yet. These lines make one for the role {role}:\n\n{beginning(Role(role))}"
