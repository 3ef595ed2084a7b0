"""What a run says fits the terminal that it says it on."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

import pytest
from worker_repo import said

if TYPE_CHECKING:
    from worker_repo import Team


def section(result: pytest.RunResult) -> list[str]:
    _, _, rest = said(result).partition(" taskq conformance =")
    return list(takewhile(lambda line: not line.startswith("="), rest.splitlines()[1:]))


@pytest.mark.parametrize("columns", [80, 60])
def test_a_long_verdict_goes_on_below_itself(team: Team, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    result = team.grade("Wrong", "-k", "ENQ-10", "--taskq-min-graded=99")
    lines = section(result)
    (number,) = [number for number, line in enumerate(lines) if line.startswith("FAIL ")]
    verdict, below = lines[number], lines[number + 1]
    assert verdict.startswith("FAIL         ENQ-10 MUST   expected ")
    assert below.startswith(" " * 27)
    assert below[27] != " "
    (header,) = [line for line in result.outlines if line.startswith("taskq: adapter")]
    assert max(map(len, [header, *lines])) <= columns


def test_a_quiet_run_still_says_what_it_came_to_and_where_the_report_is(team: Team) -> None:
    quiet = team.grade("Wrong", "-k", "ENQ-10", "-q", "--taskq-report=out").outlines
    last = next(number for number, line in enumerate(quiet) if line.startswith("MUST 0/1"))
    assert quiet[last - 1] == f"report: {team.pytester.path / 'out' / 'report.html'}"
    assert not [line for line in quiet if line.startswith(("role ", "FAIL  "))], "what failed stands above it"
    assert "MUST 0/1" not in said(team.grade("Wrong", "-k", "ENQ-10", "-qq"))


def test_a_pipe_is_given_whole_lines(team: Team) -> None:
    lines = section(team.grade("Wrong", "-k", "ENQ-10", "--taskq-min-graded=99"))
    (reason,) = [line for line in lines if line.startswith("exit code 1: ")]
    assert len(reason) > 80
    assert reason.endswith("not selected")


@pytest.mark.parametrize("options", [(), ("-n", "1")])
def test_a_failure_is_wrapped_to_the_terminal(
    team: Team, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    result = team.grade("Wrong", "-k", "ENQ-10", *options, apart=bool(options))
    lines = result.outlines
    first = next(number for number, line in enumerate(lines) if line.startswith("why  "))
    last = next(number for number, line in enumerate(lines) if number > first and line.startswith("rerun "))
    assert last - first > 3
    assert max(map(len, lines[first:last])) <= 60
