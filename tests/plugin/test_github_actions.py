"""A run in GitHub Actions annotates the adapter's lines and adds to the summary of the step."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from worker_repo import Team


@pytest.fixture
def step(team: Team, monkeypatch: pytest.MonkeyPatch) -> Team:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(team.pytester.path))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(team.pytester.path / "summary.md"))
    return team


def annotations(result: pytest.RunResult) -> list[str]:
    return [line for line in result.outlines if line.startswith(("::error", "::warning"))]


@pytest.mark.parametrize("options", [(), ("-n", "1")])
def test_a_failure_is_annotated_once_at_the_teams_line(step: Team, options: tuple[str, ...]) -> None:
    result = step.grade("Wrong", "-k", "ENQ-10", "-q", "--taskq-report=out", *options, apart=bool(options))
    (line,) = annotations(result)
    source = (step.pytester.path / "team.py").read_text(encoding="utf-8").splitlines()
    wrong = 1 + source.index("class Wrong(QueueAdapter):")
    assert line.startswith(f"::error file=team.py,line={wrong + 1},title=ENQ-10 MUST FAIL::")
    summary = (step.pytester.path / "summary.md").read_text(encoding="utf-8")
    assert summary.count("### taskq: MUST 0/1") == 1
    badge = json.loads((step.pytester.path / "out" / "badge.json").read_text(encoding="utf-8"))
    assert badge["message"].startswith("0/1 MUST · ")
    assert badge["color"] == "red"


def test_elsewhere_nothing_is_said_unless_it_is_asked_for(team: Team) -> None:
    assert annotations(team.grade("Wrong", "-k", "ENQ-10")) == []
    assert len(annotations(team.grade("Wrong", "-k", "ENQ-10", "--taskq-github"))) == 1
