"""What GitHub is told, and the badge: bounded, escaped, and at the team's own lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from runs import run_report

from pytest_taskq.contract import Level
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.grading.github_output import add_summary, in_repository
from pytest_taskq.reports.badge import badge
from pytest_taskq.reports.github import MOST_ANNOTATIONS, Place, annotation_lines, step_summary

ENGINE = Place("src/engine.py", 17)
MUSTS = [one.id for one in REQUIREMENTS.values() if one.level is Level.MUST]


def test_a_failure_is_an_error_at_the_teams_line() -> None:
    (line,) = annotation_lines(run_report({"CLM-02": "FAIL", "ENQ-05": "PASS"}), lambda _: ENGINE)
    assert line.startswith("::error file=src/engine.py,line=17,title=CLM-02 MUST FAIL::")
    assert line.endswith("%0Aexpected True; seen False%0Ataskq explain CLM-02")


def test_a_should_is_a_warning_and_comes_last() -> None:
    lines = [*annotation_lines(run_report({"LSE-05": "FAIL", "CLM-02": "NOT RUN", "ENQ-05": "FAIL"}), lambda _: ENGINE)]
    assert [line.partition("title=")[2].partition("::")[0] for line in lines] == [
        "ENQ-05 MUST FAIL",
        "CLM-02 MUST NOT RUN",
        "LSE-05 SHOULD FAIL",
    ]
    assert lines[-1].startswith("::warning ")


def test_what_ends_a_command_or_a_property_is_escaped() -> None:
    report = run_report({"CLM-02": "FAIL"}, reason="50 % of\r\n::error::x")
    (line,) = annotation_lines(report, lambda _: Place("a,b:c%.py", 1))
    assert "file=a%2Cb%3Ac%25.py," in line
    assert "50 %25 of%0D%0A::error::x" in line
    assert len(line.splitlines()) == 1


def test_a_line_that_is_not_in_the_repository_is_not_named() -> None:
    (line,) = annotation_lines(run_report({"CLM-02": "FAIL"}), lambda _: None)
    assert line.startswith("::error title=CLM-02 MUST FAIL::")


def test_a_run_with_many_failures_annotates_a_few_and_says_how_many_more() -> None:
    lines = [*annotation_lines(run_report(dict.fromkeys(MUSTS, "FAIL")), lambda _: ENGINE)]
    assert len(lines) == MOST_ANNOTATIONS == 5
    assert lines[-1].endswith(f"%0Aand {len(MUSTS) - 5} more, in the summary")
    assert not any("more, in the summary" in line for line in lines[:-1])


@pytest.mark.parametrize("verdict", ["PASS", "KNOWN", "INCONCLUSIVE", "NOT OFFERED"])
def test_what_fails_no_run_is_not_annotated(verdict: str) -> None:
    assert [*annotation_lines(run_report({"CLM-02": verdict}), lambda _: ENGINE)] == []


# --- the summary of the step ------------------------------------------------------------------------------------------


def test_the_summary_has_result_table_and_commands() -> None:
    report = run_report({"CLM-02": "FAIL", "ENQ-05": "PASS", "ENQ-10": "KNOWN"}, reason="a | b\n`c` @you")
    text = step_summary(report, ["1 requirements were graded"])
    assert text.startswith("### taskq: MUST 1/3 · 1 known\n")
    assert "- exit code 1: `1 requirements were graded`" in text
    assert "| FAIL | CLM-02 | MUST | engine | ``a \\| b `c` @you`` |" in text
    assert "| KNOWN | ENQ-10 | MUST | client | `slow to mend` |" in text
    assert "ENQ-05" not in text
    assert "pytest --taskq-conformance -k CLM-02 --taskq-seed=7  # CLM-02" in text


def test_a_run_that_passes_says_so() -> None:
    assert "Every requirement that was graded is PASS." in step_summary(run_report({"ENQ-05": "PASS"}), [])


def test_the_summary_is_bounded() -> None:
    report = run_report(dict.fromkeys(REQUIREMENTS, "FAIL"), reason="€" * 100_000)
    assert len(step_summary(report, ["x" * 100_000] * 500).encode()) < 200_000


def test_summaries_are_added_to_what_the_step_has_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = run_report({"ENQ-05": "PASS"})
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    assert add_summary(report, []) is None
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    (tmp_path / "summary.md").write_text("before\n", encoding="utf-8")
    assert add_summary(report, []) is None
    assert (tmp_path / "summary.md").read_text(encoding="utf-8").startswith("before\n### taskq: MUST 1/1\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    assert "cannot be written" in (add_summary(report, []) or "")


def test_paths_are_relative_to_the_root_of_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    file = tmp_path / "checkout" / "worker" / "engine.py"
    file.parent.mkdir(parents=True)
    file.write_text("", encoding="utf-8")
    assert in_repository(file, 3) is None
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    assert in_repository(file, 3) == Place("checkout/worker/engine.py", 3)
    (tmp_path / "checkout" / ".git").mkdir()
    assert in_repository(file, 3) == Place("worker/engine.py", 3)
    assert in_repository(tmp_path / "checkout" / "lib" / "site-packages" / "x.py", 1) is None


# --- the badge --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdicts", "left_out", "message", "color"),
    [
        ({"CLM-02": "PASS"}, (), "1/1 MUST", "brightgreen"),
        ({"CLM-02": "PASS"}, ("ENQ-05",), "1/1 MUST · 1 not graded", "yellow"),
        ({"CLM-02": "PASS", "ENQ-05": "INCONCLUSIVE"}, ("ENQ-10",), "1/1 MUST · 2 not graded", "yellow"),
        ({"CLM-02": "PASS", "ENQ-05": "KNOWN"}, (), "1/2 MUST · 1 known", "orange"),
        ({"CLM-02": "PASS", "LSE-05": "FAIL"}, (), "1/1 MUST", "orange"),
        ({"CLM-02": "FAIL", "ENQ-05": "PASS"}, (), "1/2 MUST", "red"),
        ({"CLM-02": "NOT RUN", "ENQ-05": "PASS"}, (), "1/1 MUST · 1 not graded", "red"),
        ({"LSE-05": "PASS"}, (), "1/1 SHOULD", "brightgreen"),
        ({}, ("CLM-02",), "nothing graded", "red"),
    ],
)
def test_the_badge_counts_what_was_not_graded(
    verdicts: dict[str, str], left_out: tuple[str, ...], message: str, color: str
) -> None:
    report = run_report(verdicts, not_selected=left_out)
    assert badge(report) == {"schemaVersion": 1, "label": "taskq", "message": message, "color": color}
