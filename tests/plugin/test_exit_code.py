"""What fails a run and what does not: levels, strictness, known failures."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from pytest_taskq.reports.known_entry import known_entry

if TYPE_CHECKING:
    from worker_repo import Team

FAILED, OK, USAGE = pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.OK, pytest.ExitCode.USAGE_ERROR
TODAY = date.today()  # noqa: DTZ011 - the user's own calendar, as the plugin reads it


def test_a_should_that_fails_is_shown_and_fails_a_strict_run_only(team: Team) -> None:
    lenient = team.grade("CutsFractions", "-k", "LSE-05")
    assert lenient.ret == OK
    lenient.assert_outcomes(failed=1)
    lenient.stdout.fnmatch_lines(["FAIL *LSE-05 SHOULD*", "SHOULD 0/1*", "a failed SHOULD does not fail the run*"])
    assert team.grade("CutsFractions", "-k", "LSE-05", "--taskq-strict").ret == FAILED


def test_a_should_excuses_no_test_of_the_users_own(team: Team) -> None:
    team.pytester.makepyfile(test_theirs="def test_LSE_05(): assert False")
    result = team.grade("CutsFractions", "-k", "LSE-05 or LSE_05")
    result.assert_outcomes(failed=2)
    assert result.ret == FAILED


@pytest.mark.parametrize(("option", "status"), [((), OK), (("--taskq-strict",), FAILED)])
def test_an_inconclusive_must_fails_a_strict_run_only(
    team: Team, option: tuple[str, ...], status: pytest.ExitCode
) -> None:
    team.pytester.makepyfile(
        test_door="""
        from pytest_taskq.marks import requirement
        from pytest_taskq.subject.violation import InconclusiveError

        class TestSampled:
            @requirement("ENQ-10")
            def test_share(self, taskq_queue):
                raise InconclusiveError("3 of 100 samples were taken")
        """
    )
    result = team.pytest("--taskq-adapter=team:Right", "-p", "no:cacheprovider", "-rs", *option)
    assert result.ret == status
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["INCONCLUSIVE ENQ-10 *", "*: ENQ-10 inconclusive: 3 of 100 samples were taken"])


def known(team: Team, *lines: str) -> str:
    path = team.pytester.path / "known.toml"
    path.write_text("\n".join(['["ENQ-10"]', *lines, ""]), encoding="utf-8")
    return f"--taskq-known-failures={path}"


def test_a_known_failure_counts_on_its_last_day_and_not_after_it(team: Team) -> None:
    last, over = (f"until = {TODAY - timedelta(days=days)}" for days in (0, 1))
    counting = team.grade("Wrong", "-k", "ENQ-10", known(team, 'reason = "slow to mend"', last))
    assert counting.ret == OK
    assert set(counting.parseoutcomes()) == {"xfailed", "deselected"}
    counting.stdout.fnmatch_lines(["KNOWN *ENQ-10 MUST *slow to mend"])
    expired = team.grade("Wrong", "-k", "ENQ-10", known(team, 'reason = "slow to mend"', over))
    assert expired.ret == FAILED
    assert "failed" in expired.parseoutcomes()
    expired.stdout.fnmatch_lines(["exit code 1: the known failure ENQ-10 counted until *"])


def test_a_failure_comes_with_its_entry_in_the_terminal_and_in_the_report(team: Team) -> None:
    result = team.grade("Wrong", "-k", "ENQ-10 or ENQ-12", "--taskq-report=out")
    assert {*known_entry("ENQ-10").splitlines()} <= {*result.outlines}
    assert len([line for line in result.outlines if line == "rerun" or line.startswith("rerun ")]) > 1
    assert result.outlines.count('["ENQ-10"]') == 1, "it is repeated under each check that failed"
    report = json.loads((team.pytester.path / "out" / "report.json").read_text(encoding="utf-8"))
    entries = {one["id"]: one["known_entry"] for one in report["requirements"] if one["known_entry"]}
    assert entries["ENQ-10"] == known_entry("ENQ-10")
    assert {*entries} == {one["id"] for one in report["requirements"] if one["verdict"] in {"FAIL", "NOT RUN"}}


def test_an_expired_entry_fails_a_run_in_which_nothing_else_does(team: Team) -> None:
    over = f"until = {TODAY - timedelta(days=1)}"
    result = team.grade("Right", "-k", "ENQ-10", known(team, 'reason = "mended"', over))
    assert result.ret == FAILED
    result.stdout.fnmatch_lines(["exit code 1: the known failure ENQ-10 counted until *"])


def test_a_stale_entry_fails_the_run_if_its_requirement_was_selected(team: Team) -> None:
    entry = known(team, 'reason = "mended meanwhile"')
    stale = team.grade("Right", "-k", "ENQ-10", entry)
    assert stale.ret == FAILED
    stale.stdout.fnmatch_lines(["exit code 1: ENQ-10 is PASS but listed as a known failure: remove the stale entry"])
    assert team.grade("Right", "-k", "ENQ-12", entry).ret == OK


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ('["ENQ-1O"]\nreason = "x"', "no requirement of the contract; did you mean ENQ-1"),
        ('["ENQ-10"]\nuntil = 2030-01-01', "has no reason"),
        ('["ENQ-10"]\nreason = "x"\nuntil = "2030-01-01"', "not a day such as 2026-12-31"),
        ('["ENQ-10"]\nreason = "x"\nwhy = "y"', "unknown key 'why'"),
        ("[[ENQ", "is not TOML"),
        (known_entry("ENQ-10"), "ENQ-10 still has the placeholder of reason, issue, until: only your team knows"),
        ('["ENQ-10"]\nreason = "x"\n' + known_entry("ENQ-10").splitlines()[2], "the placeholder of issue"),
    ],
)
def test_an_entry_that_cannot_be_meant_is_a_usage_error(team: Team, table: str, problem: str) -> None:
    path = team.pytester.path / "odd.toml"
    path.write_text(table, encoding="utf-8")
    result = team.grade("Right", f"--taskq-known-failures={path}")
    assert result.ret == USAGE
    assert problem in result.stderr.str()
