"""What ``--taskq-report`` leaves on disk, and what the run says of it."""

from __future__ import annotations

import json

import pytest
from worker_repo import said

import pytest_taskq.reports.html.page
from pytest_taskq.reports.html.page import render
from pytest_taskq.subject.kept_files import note, noted


def test_the_page_lies_beside_the_data_is_made_of_it_and_is_named(team) -> None:
    told = said(team.grade("Wrong", "-k", "ENQ-10", "--taskq-report=out"))
    folder = team.pytester.path / "out"
    assert sorted(path.name for path in folder.iterdir()) == [
        ".taskq-files",
        "badge.json",
        "report.html",
        "report.json",
    ]
    data = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page == render(data)
    assert f"report: {folder / 'report.html'}" in told
    details = [finding["details"] for one in data["requirements"] for finding in one["findings"]]
    assert any("calls" in one for one in details)
    assert any("schedule" in one for one in details)
    assert "Schedule <code>" in page


def test_a_page_that_cannot_be_made_is_said_and_fails_no_run(team, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_):
        raise RuntimeError("no ink")

    monkeypatch.setattr(pytest_taskq.reports.html.page, "write_page", broken)
    result = team.grade("Right", "-k", "ENQ-12", "--taskq-report=out")
    assert result.ret == 0
    assert "report.html could not be made (RuntimeError: no ink); report.json has it all" in said(result)
    assert f"report: {team.pytester.path / 'out' / 'report.json'}" in said(result)


def test_a_new_report_takes_away_what_the_earlier_one_rested_on_and_nothing_else(team) -> None:
    folder = team.pytester.path / "out"
    earlier = note(folder, folder / "histories" / "CLM-02-1.jsonl")
    earlier.parent.mkdir()
    earlier.write_text("{}", encoding="utf-8")
    theirs = [folder / "histories" / "CLM-02-7.jsonl", folder / "report.html.bak", folder / "mine.jsonl"]
    for path in theirs:
        path.write_text("mine", encoding="utf-8")
    team.grade("Right", "-k", "ENQ-12", "--taskq-report=out")
    assert not earlier.exists()
    assert [path.read_text(encoding="utf-8") for path in theirs] == ["mine"] * 3
    assert noted(folder) == {"badge.json", "report.html", "report.json"}


def test_the_page_of_an_earlier_run_does_not_stand_beside_a_report_without_one(
    team, monkeypatch: pytest.MonkeyPatch
) -> None:
    team.grade("Right", "-k", "ENQ-12", "--taskq-report=out")
    page = team.pytester.path / "out" / "report.html"
    assert page.exists()

    def broken(*_):
        raise RuntimeError("no ink")

    monkeypatch.setattr(pytest_taskq.reports.html.page, "write_page", broken)
    team.grade("Right", "-k", "ENQ-12", "--taskq-report=out")
    assert not page.exists()
