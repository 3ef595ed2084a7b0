"""What no instrument can judge: waiting if some are to come, else NOT RUN with its reason, and never a silent pass."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from pytest_taskq.contract import Finding, Instrument, Role, Verdict
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.grading import gate
from pytest_taskq.grading.outcome import finding_of
from pytest_taskq.grading.suite import shipped_checks
from pytest_taskq.reports.run_report import Facts, Judged, Plan, RunReport, build_report
from pytest_taskq.subject.violation import InconclusiveError, NotJudgedError

if TYPE_CHECKING:
    from worker_repo import Team

    from pytest_taskq.options import Settings

ORACLE, DIRECT = Instrument.ORACLE, Instrument.DIRECT_EXAMPLE


def test_a_standalone_queue_is_not_blamed_for_what_cannot_judge_it(team: Team) -> None:
    report = team.report("Alone", "-k", "TestOracle")
    tried = {check.requirement for check in shipped_checks() if check.instrument is ORACLE}
    assert not [one for one in report["requirements"] if one["verdict"] != "NOT OFFERED"]
    listed = {one["id"] for one in report["requirements"]} | {*report["waiting"], *report["not_selected"]}
    assert tried <= listed


def judged(requirement: str, instrument: Instrument, verdict: Verdict, reason: str = "") -> Judged:
    finding = Finding(requirement=requirement, instrument=instrument, verdict=verdict, reason=reason)
    return Judged(finding=finding, check=f"check of {instrument.value}")


def report_on(requirement: str, has: set[Instrument], *found: Judged) -> RunReport:
    facts = Facts(
        kit="", contract="", adapter="", backend="", clock="", seed=0, effort="", roles=dict.fromkeys(Role, "graded")
    )
    plan = Plan(
        graded=[REQUIREMENTS[requirement]],
        reference_alone=0,
        checks={requirement: {f"check of {one.value}": 1 for one in has}},
        instruments={requirement: frozenset(has)},
    )
    return build_report(facts, plan, found)


def test_unsupported_where_something_is_to_come_waits_for_it(settings: Settings) -> None:
    report = report_on("CLM-02", {ORACLE}, judged("CLM-02", ORACLE, Verdict.UNSUPPORTED, "no tables"))
    assert report.requirements == ()
    assert report.waiting == {"CLM-02": (Instrument.INTERLEAVINGS, Instrument.HISTORY)}
    assert (report.partly, report.not_selected) == ({}, ())
    assert gate.reasons(report, settings, [], None) == []  # type: ignore[arg-type]  # no entry has a day


def test_unsupported_where_nothing_is_to_come_is_not_run_and_fails_the_run(settings: Settings) -> None:
    report = report_on("ENQ-12", {DIRECT}, judged("ENQ-12", DIRECT, Verdict.UNSUPPORTED, "no such platform"))
    (one,) = report.requirements
    assert (one.verdict, one.reason) == (Verdict.NOT_RUN, "no such platform")
    (reason,) = gate.reasons(report, settings, [], None)  # type: ignore[arg-type]  # no entry has a day
    assert reason == "ENQ-12 is NOT RUN, no instrument can judge it here: no such platform"


def test_an_unsupported_should_fails_a_strict_run_only(settings: Settings) -> None:
    report = report_on("LSE-05", {DIRECT}, judged("LSE-05", DIRECT, Verdict.UNSUPPORTED, "no"))
    assert gate.reasons(report, settings, [], None) == []  # type: ignore[arg-type]
    assert gate.reasons(report, dataclasses.replace(settings, strict=True), [], None)  # type: ignore[arg-type]


def test_one_instrument_that_judges_is_enough() -> None:
    report = report_on(
        "CLM-04",
        {DIRECT, ORACLE},
        judged("CLM-04", ORACLE, Verdict.UNSUPPORTED, "no tables"),
        judged("CLM-04", DIRECT, Verdict.PASS),
    )
    assert [one.verdict for one in report.requirements] == [Verdict.PASS]
    assert not report.waiting


def test_a_part_of_the_checks_that_is_unsupported_says_nothing_of_the_requirement() -> None:
    report = report_on("CLM-04", {DIRECT, ORACLE}, judged("CLM-04", ORACLE, Verdict.UNSUPPORTED, "no tables"))
    assert report.requirements == ()
    assert report.not_selected == ("CLM-04",)


@pytest.mark.parametrize("error", [NotJudgedError(""), InconclusiveError(""), AssertionError(), NotJudgedError(" \n")])
def test_a_finding_always_says_why(error: Exception) -> None:
    assert finding_of(error, REQUIREMENTS["ENQ-10"], DIRECT).reason.strip()


@pytest.fixture
def settings(pytestconfig: pytest.Config) -> Settings:
    from pytest_taskq.options import Settings

    return dataclasses.replace(Settings.of(pytestconfig), strict=False, min_graded=0)


def test_a_pass_says_how_many_programs_ended_early(team: Team) -> None:
    report = team.report("WrongElsewhere", "-k", "OBS-01", "--taskq-seed=1")
    (one,) = report["requirements"]
    assert one["verdict"] == "PASS"
    assert " ended early at another requirement" in one["explored"]
    clean = team.report("pytest_taskq.reference_impl:Adapter", "-k", "OBS-01", "--taskq-seed=1")
    assert " ended early " not in clean["requirements"][0]["explored"]
