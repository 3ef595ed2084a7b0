"""``taskq check``: a recorded history judged again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_taskq.cli.output import show
from pytest_taskq.contract import Verdict

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from pytest_taskq.checkers import Judgement
    from pytest_taskq.cli.output import Line
    from pytest_taskq.recording.history_file import RecordedHistory


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", metavar="FILE", help="the history, in JSON Lines")
    parser.add_argument(
        "--as", dest="checks", action="append", default=[], metavar="CHECK", help="instead of what the file asks for"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the verdict of each check on the history, with its proof.

    0 if all pass, 1 if one fails, 2 if one cannot be judged.
    """
    from pytest_taskq.recording.history_file import HistoryFileError, read_history

    try:
        history = read_history(Path(arguments.file))
        names = tuple(arguments.checks) or history.checks
        if not names:
            raise HistoryFileError(
                f"{arguments.file} does not say what to check; name it with --as, for instance --as fifo"
            )
        judged = {name: _judged(name, history) for name in names}
    except (OSError, ValueError, TypeError) as error:
        sys.stderr.write(f"taskq: {error}\n")
        return 2
    show(_lines(history, judged))
    if any(one.verdict is Verdict.FAIL for one in judged.values()):
        return 1
    return 0 if all(one.legal for one in judged.values()) else 2


def _judged(name: str, history: RecordedHistory) -> Judgement:
    from pytest_taskq.checkers.by_name import judge
    from pytest_taskq.recording.history_file import ways_of

    return judge(name, history.operations, ways_of(history))


def _lines(history: RecordedHistory, judged: dict[str, Judgement]) -> Iterator[Line]:
    from pytest_taskq.history import SECOND, overlap_of

    if history.source:
        yield history.source, ""
    yield str(overlap_of(history.operations)), ""
    if history.deaths:
        killed = ", ".join(f"{one.actor} at {one.moment / SECOND:.6f}" for one in history.deaths)
        yield f"killed: {killed}", ""
    for name, judgement in judged.items():
        first, *rest = str(judgement).splitlines()
        yield f"{name}: {first}", "bold" if judgement.legal else "bold red"
        yield from ((line, "") for line in rest)
