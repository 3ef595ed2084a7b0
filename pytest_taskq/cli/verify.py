"""``taskq verify``: what a report claims, computed again as far as that can be."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_taskq.cli.output import show

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from pytest_taskq.certificate.sources import Sources
    from pytest_taskq.cli.output import Line
    from pytest_taskq.reports.stored_report import StoredReport
    from pytest_taskq.reports.verification import Checked

_MOST_HISTORIES = 20
_STYLES = {"differs": "bold red", "not checked": "yellow"}
_LIMITS = "This finds accidents, not forgery: whoever can write a report can write its digest too."


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("place", metavar="DIR", help="the folder of the report, or its report.json")
    parser.add_argument("--root", default=".", metavar="PATH", help="the project that was graded; here if not given")


def run(arguments: argparse.Namespace) -> int:
    """Print what holds of the report; 0 if nothing differs, 1 if something does, 2 if it is no report."""
    from pytest_taskq.reports.stored_report import ReportFileError, read_report
    from pytest_taskq.reports.verification import State

    path = Path(arguments.place)
    try:
        report = read_report(path)
    except ReportFileError as error:
        sys.stderr.write(f"taskq: {error}\n")
        return 2
    folder = path if path.is_dir() else path.parent
    checked = [*_of_report(report, Path(arguments.root)), *histories(folder)]
    show(_lines(checked), wrapped=True)
    return 1 if any(one.state is State.DIFFERS for one in checked) else 0


def _of_report(report: StoredReport, root: Path) -> Iterator[Checked]:
    from pytest_taskq.certificate.sources import kit_sources, reference_sources, suite_sources
    from pytest_taskq.reports.verification import verify

    installed = {"suite": suite_sources(), "kit": kit_sources(), "reference": reference_sources()}
    return verify(report, installed, _adapter(report, root.resolve()))


def _adapter(report: StoredReport, root: Path) -> Sources | None:
    from pytest_taskq.certificate.sources import hashed
    from pytest_taskq.reports.verification import adapter_files

    listed = adapter_files(report)
    if listed is None:
        return None
    # A report that was tampered with must not make us read elsewhere.
    paths = [root / name for name in listed if (root / name).resolve().is_relative_to(root)]
    return hashed([path for path in paths if path.is_file()], root)


def histories(folder: Path) -> Iterator[Checked]:
    """Yield for each history in the folder whether it is still judged to break a rule, for which it was kept."""
    from pytest_taskq.reports.verification import Checked, State

    found = sorted(folder.rglob("*.jsonl"))
    for path in found[:_MOST_HISTORIES]:
        broken, text = _judged_again(path)
        state = {True: State.HOLDS, False: State.DIFFERS, None: State.NOT_CHECKED}[broken]
        yield Checked(f"history {path.relative_to(folder).as_posix()}", state, text)
    if len(found) > _MOST_HISTORIES:
        yield Checked("histories", State.NOT_CHECKED, f"the other {len(found) - _MOST_HISTORIES} files")


def _judged_again(path: Path) -> tuple[bool | None, str]:
    from pytest_taskq.checkers.by_name import judge
    from pytest_taskq.contract import Verdict
    from pytest_taskq.recording.history_file import read_history, ways_of

    try:
        history = read_history(path)
        verdicts = {name: judge(name, history.operations, ways_of(history)).verdict for name in history.checks}
    except (OSError, ValueError, TypeError) as error:
        return None, str(error)
    broken = [name for name, verdict in verdicts.items() if verdict is Verdict.FAIL]
    if broken:
        return True, f"it breaks {', '.join(broken)}"
    if not verdicts:
        return None, "it does not say what it was judged by"
    return False, f"{', '.join(verdicts)} find nothing wrong with it, and only a broken one is kept"


def _lines(checked: list[Checked]) -> Iterator[Line]:
    for one in checked:
        yield f"{one.state.value:<12} {one.what}{f': {one.text}' if one.text else ''}", _STYLES.get(one.state.value, "")
    differing = sum(one.state.value == "differs" for one in checked)
    result = f"{differing} of {len(checked)} differ" if differing else "nothing differs"
    yield f"{result}. {_LIMITS}", "bold red" if differing else "bold"
