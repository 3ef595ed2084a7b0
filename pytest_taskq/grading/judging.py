"""From pytest's report of a phase to findings, and back to the word that pytest shows for them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from _pytest._code.code import ExceptionRepr

from pytest_taskq.contract import Finding, Requirement, Verdict, combine
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.grading.check import CHECK, rerun_command
from pytest_taskq.grading.failure_text import failure_text
from pytest_taskq.grading.gate import excused
from pytest_taskq.grading.longrepr import as_longrepr, place_in_adapter
from pytest_taskq.grading.suite import Check, shipped_checks
from pytest_taskq.grading.transport import as_plain, encodable, from_plain
from pytest_taskq.reports import junit
from pytest_taskq.reports.known_entry import known_entry
from pytest_taskq.reports.run_report import Judged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_taskq.grading.run import ConformanceRun

BROKEN = (Verdict.FAIL, Verdict.NOT_RUN)
_ENTRY_TITLE = "if it must wait: its entry for taskq_known_failures"


def judge(run: ConformanceRun, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Attach to ``report`` what the phase found, and give it the outcome of that verdict."""
    check = item.stash.get(CHECK, None)
    error = call.excinfo.value if call.excinfo else None
    found = check.findings(str(report.when), error) if check else ()
    if check is None or not found or not isinstance(item, pytest.Function):
        return
    replay = rerun_command(item, check.requirement.id, run.settings.rerun_options)
    found = [
        replace(
            one,
            seconds=report.duration,
            replay="" if one.verdict is Verdict.PASS else f"{replay} {one.replay}".rstrip(),
        )
        for one in found
    ]
    verdict, known = _verdict(found), run.known_reason(check.requirement.id)
    if hasattr(report, "wasxfail"):  # an xfail of the user's own, on a class derived from the suite's
        known = str(report.wasxfail) or "xfail"
    else:
        _show(run, item, report, next(one for one in found if one.verdict is verdict), known)
    known = known if verdict in BROKEN else ""
    if report.when != "teardown" and run.settings.junit_properties:
        item.user_properties += junit.properties(
            check.requirement, Verdict.KNOWN if known else verdict, run.settings.seed
        )
    attach(report, [Judged(finding=one, check=check.name, known=known) for one in found])


def attach(report: pytest.TestReport, judged: Sequence[Judged]) -> None:
    """Put findings on a report in a form that survives pytest-xdist."""
    vars(report)["taskq"] = [as_plain(one) for one in judged]


def attached(report: object) -> list[Judged]:
    """Return the findings on a report, none for a report that is not the suite's."""
    return [from_plain(plain) for plain in getattr(report, "taskq", ())]


def _verdict(found: Sequence[Finding]) -> Verdict:
    if all(one.verdict is Verdict.UNSUPPORTED for one in found):
        return Verdict.UNSUPPORTED
    return combine(found)


def _show(run: ConformanceRun, item: pytest.Item, report: pytest.TestReport, finding: Finding, known: str) -> None:
    requirement = REQUIREMENTS[finding.requirement]
    if finding.verdict in BROKEN:
        show_broken(run, report, requirement, finding)
        if known:
            report.outcome = "skipped"
            vars(report)["wasxfail"] = known
    elif finding.verdict in (Verdict.INCONCLUSIVE, Verdict.UNSUPPORTED):
        report.outcome = "skipped"
        path, line, _ = item.location
        text = f"{requirement.id} {finding.verdict.value.lower()}: {finding.reason}"
        report.longrepr = (path, (line or 0) + 1, f"Skipped: {encodable(text)}")


def show_broken(run: ConformanceRun, report: pytest.TestReport, requirement: Requirement, finding: Finding) -> None:
    """Make ``report`` the failure that a FAIL or NOT RUN is shown as."""
    message = f"{requirement.id} {requirement.level.value} {requirement.role.value}: {finding.reason}"
    report.outcome = "failed"
    report.longrepr = as_longrepr(
        encodable(failure_text(requirement, finding, run.columns)),
        encodable(message),
        place_in_adapter(run.subject, requirement.grades),
    )


# --- on the controller ------------------------------------------------------------------------------------------------


def count(run: ConformanceRun, report: pytest.TestReport) -> None:
    """Take the findings of a report into the run; a worker that died while it ran a check gets one."""
    if str(report.when) == "???" and report.failed:  # so pytest-xdist marks a crash
        _judge_crash(run, report)
    judged = attached(report)
    run.judged += judged
    levels = {REQUIREMENTS[one.finding.requirement].level for one in judged}
    if report.failed and levels and all(excused(level, strict=run.settings.strict) for level in levels):
        run.excused += 1
    if report.failed and judged:
        _show_entry(run, report, judged[0].finding.requirement)


def _show_entry(run: ConformanceRun, report: pytest.TestReport, requirement_id: str) -> None:
    """Add to the first failure of a requirement its entry for the file of known failures.

    Here, since a worker of pytest-xdist does not know what another one has shown.
    """
    if requirement_id not in run.entries and isinstance(report.longrepr, ExceptionRepr):
        run.entries.add(requirement_id)
        report.longrepr.addsection(_ENTRY_TITLE, known_entry(requirement_id))


def _judge_crash(run: ConformanceRun, report: pytest.TestReport) -> None:
    check = crashed_check(report.nodeid)
    requirement = REQUIREMENTS.get(check.requirement) if check else None
    if check is None or requirement is None or not run.subject.graded(requirement):
        return
    finding = Finding.of(
        requirement,
        check.instrument,
        Verdict.NOT_RUN,
        reason=f"the process died while this was judged ({report.longrepr})",
        replay=f'pytest --taskq-conformance -p no:xdist -k "{requirement.id}" {" ".join(run.settings.rerun_options)}',
    )
    known = run.known_reason(requirement.id)
    show_broken(run, report, requirement, finding)
    if known:
        report.outcome = "skipped"
        vars(report)["wasxfail"] = known
    attach(report, [Judged(finding=finding, check=check.name, known=known)])


def crashed_check(nodeid: str) -> Check | None:
    """Return the check that a node id of a dead worker names: its class and method, its parameter if there are more."""
    *_, group, test = ("", *nodeid.split("::"))
    function, _, parameter = test.partition("[")
    named = [check for check in shipped_checks() if check.name.endswith(f"::{group}.{function}")]
    return next((check for check in named if check.requirement in parameter), named[0] if len(named) == 1 else None)


def status_word(report: Any) -> tuple[str, str, str] | None:  # noqa: ANN401 - a test or a collection report
    """Return category, letter and word for a report of the suite that pytest would call something else."""
    judged = attached(report)
    if not judged or hasattr(report, "wasxfail"):
        return None
    verdict = _verdict([one.finding for one in judged])
    if verdict is Verdict.NOT_RUN and report.failed:
        return "error", "E", "ERROR"
    if verdict in (Verdict.INCONCLUSIVE, Verdict.NOT_OFFERED, Verdict.UNSUPPORTED) and report.skipped:
        return "skipped", "s", verdict.value
    return None
