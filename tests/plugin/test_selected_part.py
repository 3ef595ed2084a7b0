"""A part of the suite: what was not selected is counted, and is never taken for judged."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from worker_repo import Team


def result_line(result: pytest.RunResult) -> str:
    found = [line for line in result.outlines if line.startswith(("MUST ", "SHOULD ", "nothing was graded"))]
    assert len(found) == 1, result.stdout.str()
    return found[0]


def test_without_a_selection_everything_counts_but_what_only_the_reference_would_answer(team: Team) -> None:
    result = team.grade("Right")
    assert result.ret == pytest.ExitCode.OK
    assert re.match(r"MUST (\d+)/\1\b", result_line(result))
    assert "not selected" not in result_line(result)
    counts = result.parseoutcomes()
    assert counts["deselected"] > 40 > counts["passed"]
    whole = team.grade("pytest_taskq.reference_impl:Adapter", "--collect-only")
    assert "deselected" not in whole.parseoutcomes()


def test_what_k_leaves_out_is_not_selected(team: Team) -> None:
    result = team.grade("Right", "-k", "ENQ-10")
    assert result.ret == pytest.ExitCode.OK
    assert re.fullmatch(r"MUST 1/1 · \d+ not selected", result_line(result))


def test_a_requirement_is_not_passed_by_a_part_of_its_checks(team: Team) -> None:
    report = team.report("team:Right", "-k", "ENQ-10 or TestNothing")
    assert [one["id"] for one in report["requirements"]] == ["ENQ-10"]
    part = team.report("pytest_taskq.reference_impl:Adapter", "-k", "ENQ-01 and TestModel")
    assert part["requirements"] == []
    assert "ENQ-01" in part["not_selected"]


@pytest.mark.parametrize(("least", "status"), [("1", pytest.ExitCode.OK), ("2", pytest.ExitCode.TESTS_FAILED)])
def test_a_selection_is_held_to_the_minimum(team: Team, least: str, status: pytest.ExitCode) -> None:
    result = team.grade("Right", "-k", "ENQ-10", f"--taskq-min-graded={least}")
    assert result.ret == status
    if status:
        result.stdout.fnmatch_lines(["exit code 1: 1 requirements were graded, and --taskq-min-graded asks for 2*"])


def test_the_rerun_of_a_failure_is_not_held_to_the_minimum_of_the_ini_file(team: Team) -> None:
    team.pytester.makeini("[pytest]\ntaskq_min_graded = 2\n")
    result = team.grade("Wrong", "-k", "ENQ-10")
    lines = {line for line in result.outlines if line.startswith("rerun ")}
    assert lines
    assert all('-k "ENQ-10 and ' in line and "--taskq-min-graded=0" in line for line in lines)


def test_x_stops_at_the_first_failure_and_leaves_the_rest_unjudged(team: Team) -> None:
    whole, stopped = (team.grade("WrongTwice", "-k", "ENQ-10 or OBS-01", *also) for also in ((), ("-x",)))
    assert whole.parseoutcomes()["failed"] > 1
    assert stopped.parseoutcomes()["failed"] == 1
    assert stopped.ret == pytest.ExitCode.TESTS_FAILED
    assert result_line(whole).startswith("MUST 0/2 ")
    assert result_line(stopped).startswith("MUST 0/1 ")
    left = [int(result_line(one).split()[-3]) for one in (whole, stopped)]
    assert left[1] == left[0] + 1


def test_x_that_stops_at_a_should_is_no_run_that_passed(team: Team) -> None:
    whole = team.grade("CutsFractions", "-k", "LSE-05")
    assert whole.ret == pytest.ExitCode.OK
    assert team.grade("CutsFractions", "-k", "LSE-05", "-x").ret != pytest.ExitCode.OK


def test_lf_runs_what_failed_and_grades_it_alone(team: Team) -> None:
    # With a failed file of the user's own beside it: pytest then skips the files that it does not find in the rootdir.
    team.pytester.makepyfile(test_theirs="def test_ENQ_10(team_is_wrong): assert not team_is_wrong")
    team.pytester.makeconftest(
        """
        import pytest

        @pytest.fixture
        def team_is_wrong(request):
            return "Wrong" in request.config.option.taskq_adapter
        """
    )
    failed = team.grade("Wrong", "--cache-clear", "-k", "ENQ-10 or ENQ_10", apart=True).parseoutcomes()["failed"]
    assert failed > 1
    again = team.grade("Right", "--lf", apart=True)
    assert again.parseoutcomes()["passed"] == failed
    assert again.ret == pytest.ExitCode.OK
    assert re.fullmatch(r"MUST 1/1 · \d+ not selected", result_line(again))
