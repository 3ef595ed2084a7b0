"""``taskq demo``: the patterns live, and a race caught, shown, mended and replayed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pytest_taskq.cli.output import show

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from pytest_taskq.cli.output import Line
    from pytest_taskq.demo.scenes import Scene


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--step", action="store_true", help="wait for Enter after each scene")


def run(arguments: argparse.Namespace) -> int:
    """Show every scene; 0, or 1 if one did not come out as it should. Everything lives in a folder that is removed."""
    from pytest_taskq.demo.race import REQUIREMENT
    from pytest_taskq.demo.scenes import scenes

    outcomes = []
    for scene in scenes():
        show(_lines(scene))
        outcomes.append(scene)
        if arguments.step and not _go_on():
            return 0
    caught = any(one.said and one.said[0].startswith("FAIL") for one in outcomes)
    well = caught and outcomes[-1].well
    end = f"`taskq explain {REQUIREMENT.id}` says more; `pytest --taskq-conformance` does this to your own code"
    show([(end if well else "this did not come out as it should: please report it", "bold")])
    return 0 if well else 1


def _go_on() -> bool:
    """Wait for Enter; without somebody to press it, or at Ctrl-D, go no further."""
    if not sys.stdin.isatty():
        return True
    sys.stdout.write("[Enter] ")
    sys.stdout.flush()
    return sys.stdin.readline() != ""


def _lines(scene: Scene) -> Iterator[Line]:
    yield scene.title, "bold"
    yield from ((f"    {line}".rstrip(), "cyan") for line in scene.code.splitlines())
    style = "green" if scene.well else "red"
    yield from ((f"  > {line}" if scene.well else f"  {line}", style) for line in scene.said)
    yield "", ""
