"""The commands of ``taskq``: each is a module beside this one, imported when it is asked for and not before."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Sequence


class CommandModule(Protocol):
    """What the module of a command has. What is heavy it imports in ``run``."""

    def add_to(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it, and return the exit code: 0 well, 1 something failed, 2 it could not be done."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command; ``help`` is its line in ``taskq --help``."""

    name: str
    help: str

    @property
    def module(self) -> CommandModule:
        """Its module."""
        return cast("CommandModule", import_module(f"pytest_taskq.cli.{self.name}"))

    def arguments(self, argv: Sequence[str]) -> argparse.Namespace:
        """Return what stands behind the command's name; paths and options may be mixed. Exits at what is wrong."""
        says = f"{self.help[0].upper()}{self.help[1:]}."
        parser = argparse.ArgumentParser(prog=f"taskq {self.name}", description=says)
        self.module.add_to(parser)
        return parser.parse_intermixed_args(argv)


COMMANDS: dict[str, Command] = {
    one.name: one
    for one in (
        Command("explain", "what a requirement says, why, and what to look at"),
        Command("validate", "check an existing queue without changing it"),
        Command("doctor", "see whether an adapter can be graded here, before it is"),
        Command("demo", "see the patterns live, and a race caught, mended and replayed"),
        Command("check", "judge a recorded history again"),
        Command("compare", "what changed from one report to the next"),
        Command("verify", "compute again what a report claims, as far as that can be"),
        Command("review", "the code review checklist on your sources"),
    )
}


def parsed(argv: Sequence[str]) -> tuple[Command, argparse.Namespace]:
    """Return the command that is asked for with its arguments. Exits with the help, or with 2 for what is wrong."""
    parser = argparse.ArgumentParser(
        prog="taskq",
        description="The contract of the task queue, and what it says.",
        epilog="taskq COMMAND --help says more.",
    )
    listed = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for one in COMMANDS.values():
        listed.add_parser(one.name, help=one.help, add_help=False)
    command = COMMANDS[parser.parse_args(argv[:1]).command]
    return command, command.arguments(argv[1:])
