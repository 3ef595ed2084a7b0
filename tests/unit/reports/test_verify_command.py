"""The command `taskq verify`: what was changed by accident is found, and its limits are said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from stored import plain_report

from pytest_taskq.certificate.digest import signed
from pytest_taskq.certificate.sources import hashed, kit_sources, reference_sources, suite_sources
from pytest_taskq.checkers import Kind, Operation
from pytest_taskq.cli import main
from pytest_taskq.recording.history_file import RecordedHistory, write_history

VERDICTS = {"CLM-02": "PASS", "ENQ-05": "FAIL", "LSE-05": "PASS", "ENQ-10": "KNOWN"}
SUMMARY = {
    "must": {"graded": 3, "passed": 1},
    "should": {"graded": 1, "passed": 1},
    "not_offered": 0,
    "inconclusive": 0,
    "not_run": 0,
    "known": 1,
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "team.py").write_text("class Adapter: ...\n", encoding="utf-8")
    (tmp_path / "out").mkdir()
    return tmp_path


def report(project: Path) -> dict[str, Any]:
    certificate = {
        "suite": suite_sources().as_plain(listed=False),
        "kit": kit_sources().as_plain(listed=False),
        "reference": reference_sources().as_plain(listed=False),
        "adapter": hashed([project / "team.py"], project).as_plain(listed=True),
    }
    return {**plain_report(VERDICTS), "summary": SUMMARY, "certificate": certificate}


def verified(project: Path, plain: dict[str, Any]) -> int:
    (project / "out" / "report.json").write_text(json.dumps(plain, indent=1), encoding="utf-8")
    return main(["verify", str(project / "out"), "--root", str(project)])


def test_a_report_as_it_was_written_holds_and_the_limits_are_said(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verified(project, signed(report(project))) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    assert all(line.startswith("holds ") for line in lines), lines
    names = ["digest", "contract", "verdicts", "summary", "suite", "kit", "reference", "adapter"]
    assert [line.split()[1].rstrip(":") for line in lines] == names
    assert "not forgery" in last


def edited(plain: dict[str, Any]) -> dict[str, Any]:
    return {**plain, "adapter": "team:Better"}


def wrong_verdict(plain: dict[str, Any]) -> dict[str, Any]:
    failed = next(one for one in plain["requirements"] if one["id"] == "ENQ-05")
    failed["verdict"] = "PASS"
    return signed(plain)


def wrong_count(plain: dict[str, Any]) -> dict[str, Any]:
    return signed({**plain, "summary": {**SUMMARY, "known": 0}})


def other_suite(plain: dict[str, Any]) -> dict[str, Any]:
    plain["certificate"]["suite"]["sha256"] = "0" * 64
    return signed(plain)


def other_contract(plain: dict[str, Any]) -> dict[str, Any]:
    return signed({**plain, "contract": "0.9"})


def other_level(plain: dict[str, Any]) -> dict[str, Any]:
    plain["requirements"][0]["level"] = "SHOULD"
    return signed(plain)


@pytest.mark.parametrize(
    ("accident", "found"),
    [
        (edited, "differs      digest: the file was changed after it was written"),
        (wrong_verdict, "differs      verdicts: ENQ-05 is PASS, and its findings come to FAIL"),
        (wrong_count, "differs      summary: it says"),
        (other_suite, "differs      suite: the report was made with another one (kit 0.1.0)"),
        (other_contract, "differs      contract: the report is of version 0.9"),
        (other_level, "differs      contract: CLM-02 is SHOULD engine, and here it is MUST engine"),
    ],
)
def test_an_accident_is_found(
    project: Path,
    capsys: pytest.CaptureFixture[str],
    accident: Callable[[dict[str, Any]], dict[str, Any]],
    found: str,
) -> None:
    assert verified(project, accident(signed(report(project)))) == 1
    assert found in capsys.readouterr().out


def test_code_that_was_changed_since_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = signed(report(project))
    (project / "team.py").write_text("class Adapter: pass\n", encoding="utf-8")
    assert verified(project, plain) == 1
    assert "differs      adapter: changed since or gone: team.py" in capsys.readouterr().out


def test_code_that_is_not_here_is_not_checked(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = signed(report(project))
    (project / "team.py").unlink()
    assert verified(project, plain) == 0
    assert "not checked  adapter: its files are not here; name the project's folder with --root" in (
        capsys.readouterr().out
    )


def test_a_report_without_a_certificate_is_read_and_says_little(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verified(project, {**plain_report(VERDICTS), "summary": SUMMARY, "certificate": None}) == 0
    assert capsys.readouterr().out.count("not checked") == 5


def test_what_is_no_report_exits_2(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(project / "out")]) == 2
    assert "cannot be read" in capsys.readouterr().err


def history(*, doubled: bool) -> RecordedHistory:
    enqueued = Operation(kind=Kind.ENQUEUE, call=0, returned=1, actor="p", task="a", row=1)
    claims = [
        Operation(kind=Kind.CLAIM, call=n, returned=n + 1, actor=f"w{n}", task="a")
        for n in ((2, 4) if doubled else (2,))
    ]
    return RecordedHistory(operations=(enqueued, *claims), checks=("fifo",), left={"a": "completed"})


@pytest.mark.parametrize(("doubled", "code", "state"), [(True, 0, "holds"), (False, 1, "differs")])
def test_a_history_beside_the_report_is_judged_again(
    project: Path, capsys: pytest.CaptureFixture[str], doubled: bool, code: int, state: str
) -> None:
    (project / "out" / "histories").mkdir()
    write_history(project / "out" / "histories" / "clm-02.jsonl", history(doubled=doubled))
    assert verified(project, signed(report(project))) == code
    assert f"{state:<12} history histories/clm-02.jsonl" in capsys.readouterr().out
