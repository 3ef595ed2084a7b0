"""The command `taskq compare`: three formats, three exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from stored import plain_report

from pytest_taskq.cli import main
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.reports.comparison import compare
from pytest_taskq.reports.comparison_views import markdown
from pytest_taskq.reports.markdown import code, within
from pytest_taskq.reports.stored_report import parse_report

GITHUB_LIMIT = 65_536
FINE = plain_report({"CLM-02": "PASS", "ENQ-05": "PASS"})


def stored(tmp_path: Path, name: str, report: dict[str, Any]) -> str:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
    return str(folder)


def test_what_is_not_worse_exits_0_whether_folder_or_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base, head = stored(tmp_path, "base", FINE), stored(tmp_path, "head", FINE)
    assert main(["compare", base, f"{head}/report.json"]) == 0
    assert capsys.readouterr().out == "nothing is worse, and no verdict changed\n"


def test_what_is_worse_exits_1_and_says_what(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head = plain_report({"CLM-02": "FAIL"}, effort="smoke", reason="two workers got task 1")
    assert main(["compare", stored(tmp_path, "base", FINE), stored(tmp_path, "head", head)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "not the same in both: effort, pr and then smoke",
        "newly failing     CLM-02 MUST   engine  PASS -> FAIL: two workers got task 1",
        "newly not graded  ENQ-05 MUST   client  PASS -> not in the report",
        "worse: 1 newly failing · 1 newly not graded",
    ]


def test_json_has_it_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = plain_report({"CLM-02": "FAIL"}, ratios={"claim": [1.0] * 20})
    head = plain_report({"CLM-02": "PASS"}, ratios={"claim": [3.0] * 20})
    assert main(["compare", stored(tmp_path, "b", base), stored(tmp_path, "h", head), "--format=json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["worse"] is True
    assert [(one["id"], one["change"]) for one in said["requirements"]] == [("CLM-02", "fixed")]
    assert [(one["name"], one["change"], one["head"]) for one in said["latencies"]] == [
        ("claim", "slower", pytest.approx(3))
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("{", "is not JSON"),
        ("[]", 'has no "format"'),
        ('{"format": 2}', "has the format 2, and this version reads 1"),
        ('{"format": 1}', "'requirements' is missing"),
        ('{"format": 1, "requirements": [{"id": "CLM-02"}]}', "'findings' is missing"),
        ('{"format": 1, "requirements": 3}', "is not shaped as a report"),
    ],
)
def test_what_is_no_report_exits_2_with_cause_and_cure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, said: str
) -> None:
    path = tmp_path / "report.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    assert main(["compare", str(path), str(path)]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith(f"taskq: {path} ")
    assert said in output.err
    assert "--taskq-report=DIR" in output.err or "use the version of pytest-taskq" in output.err


# --- Markdown ---------------------------------------------------------------------------------------------------------


def comment(base: dict[str, Any], head: dict[str, Any]) -> str:
    return markdown(compare(parse_report(base), parse_report(head)))


def test_a_comment_is_the_same_for_the_same_reports_and_can_be_found_again() -> None:
    head = plain_report({"CLM-02": "FAIL", "ENQ-05": "PASS"})
    assert comment(FINE, head) == comment(FINE, head)
    assert comment(FINE, head).startswith("<!-- taskq compare -->\n### taskq: worse: 1 newly failing\n")


@pytest.mark.parametrize("text", ["@everyone", "#17", "<img src=x>", "a|b", "**bold**", "[link](http://x)", "a\n# b"])
def test_what_a_queue_says_is_no_markup_in_a_comment(text: str) -> None:
    said = comment(FINE, plain_report({"CLM-02": "FAIL"}, reason=text))
    (line,) = (line for line in said.splitlines() if "CLM" in line)
    assert line == f"- **CLM-02** MUST engine, PASS -> FAIL: `{' '.join(text.split())}`"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("`x`", "`` `x` ``"), ("a``b", "```a``b```"), ("", ""), ("a\\|b", "`a|b`"), ("tab\there", "`tab here`")],
)
def test_code_is_fenced_by_more_backticks_than_are_in_it(text: str, expected: str) -> None:
    assert code(text) == expected


def test_a_comment_is_never_too_long_to_be_posted() -> None:
    huge = "x" * 5_000
    everything = plain_report(
        dict.fromkeys(REQUIREMENTS, "FAIL"), ratios={f"{huge} {n}": [1.0] for n in range(500)}, reason=huge
    )
    text = comment(plain_report({}, ratios={f"{huge} {n}": [1.0] * 2 for n in range(500)}), everything)
    assert len(text.encode("utf-16-le")) // 2 < GITHUB_LIMIT
    assert "more lines, left out because" in text
    assert text.count("**CLM-02**") == 1


def test_a_page_that_fits_is_whole() -> None:
    assert within(["a", "", "b", ""]) == "a\n\nb\n"


def test_a_call_that_is_no_longer_measured_is_said_so_and_the_columns_stay_aligned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = stored(tmp_path, "base", plain_report({"CLM-02": "PASS"}, ratios={"gone": [2.0] * 9, "few": [2.0] * 2}))
    head = stored(tmp_path, "head", plain_report({"CLM-02": "FAIL"}, ratios={"few": [2.0] * 2}))
    main(["compare", base, head])
    lines = capsys.readouterr().out.splitlines()
    assert any("2.00 times the floor -> not measured" in line for line in lines), lines
    places = {line.index(name) for line in lines for name in ("CLM-02 MUST", "LAT-02  ") if name in line}
    assert len(places) == 1, lines
    main(["compare", base, head, "--format=markdown"])
    notes = [line for line in capsys.readouterr().out.splitlines() if "within the noise" in line]
    assert notes
    assert all(line.startswith("- ") for line in notes), "two notes run into one paragraph"
