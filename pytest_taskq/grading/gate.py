"""Whether the run passes, and if not, why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_taskq.contract import Level, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from pytest_taskq.grading.known import KnownFailure
    from pytest_taskq.options import Settings
    from pytest_taskq.reports.run_report import RunReport


def excused(level: Level, *, strict: bool) -> bool:
    """Whether a failed check of this level is shown and does not fail the run."""
    return level is Level.SHOULD and not strict


def reasons(report: RunReport, settings: Settings, known: Iterable[KnownFailure], today: date) -> list[str]:
    """Return what fails the run beside the tests that failed."""
    found = [*_known_failures_over(report, known, today), *_unsupported(report, strict=settings.strict)]
    graded = report.summary.graded
    if graded < settings.min_graded:
        found.append(
            f"{graded} requirements were graded, and --taskq-min-graded asks for {settings.min_graded}: "
            "the summary names what was not offered, not run or not selected"
        )
    if settings.latency == "strict" and not settings.strict:
        untimed = [one.requirement.id for one in report.having(Verdict.INCONCLUSIVE) if one.lacks_timing]
        found += [f"{', '.join(untimed)} INCONCLUSIVE, which --taskq-latency=strict does not accept"] if untimed else []
    if settings.strict:
        undecided = [one.requirement.id for one in report.having(Verdict.INCONCLUSIVE)]
        found += [f"{', '.join(undecided)} INCONCLUSIVE, which --taskq-strict does not accept"] if undecided else []
    return found


def _known_failures_over(report: RunReport, known: Iterable[KnownFailure], today: date) -> list[str]:
    passed = {one.requirement.id for one in report.having(Verdict.PASS)}
    found = []
    for entry in known:
        if entry.expired(today):
            found.append(
                f"the known failure {entry.requirement} counted until {entry.until}: mend it, or say until when"
            )
        elif entry.requirement in passed:
            found.append(f"{entry.requirement} is PASS but listed as a known failure: remove the stale entry")
    return found


def _unsupported(report: RunReport, *, strict: bool) -> list[str]:
    # Their tests are skipped, so that nothing else fails the run.
    return [
        f"{one.requirement.id} is NOT RUN, no instrument can judge it here: {one.reason}"
        for one in report.having(Verdict.NOT_RUN)
        if one.unsupported and not excused(one.requirement.level, strict=strict)
    ]


def exit_status(session: pytest.Session, *, excused_failures: int, reasons: list[str]) -> int:
    """Return the exit status of the session; one that pytest gave for another cause stays."""
    status = int(session.exitstatus)
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED):
        return status
    if reasons:
        return pytest.ExitCode.TESTS_FAILED
    # With -x the session ended at a SHOULD before the rest was judged: that is not a run that passed.
    only_excused = 0 < excused_failures == session.testsfailed and not session.shouldfail and not session.shouldstop
    return pytest.ExitCode.OK if only_excused and status == pytest.ExitCode.TESTS_FAILED else status
