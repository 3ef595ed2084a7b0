"""What a review prints is what its readers demand: programs, code hosts, persons."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from pytest_taskq.cli import main
from pytest_taskq.review.catalogue import EVERY, RULES
from pytest_taskq.review.finding import Finding, NotChecked, Place, Review
from pytest_taskq.review.formats import github, page, plain, sarif
from pytest_taskq.review.formats import json as as_json
from pytest_taskq.review.reviewing import review_text

PLACE = Place("a b/über,50%.py", 3, 7)
REVIEW = Review(
    files=2,
    statements=5,
    findings=(
        Finding(RULES["REV-08"], Place("z.py", 1), "seen", "code"),
        Finding(RULES["REV-03"], PLACE, "100 % of `x`\r\nand: more", "c.execute(x)"),
    ),
    not_checked=(NotChecked(Place("z.py", 9), "the SQL is `y`, known at run time only"),),
)


@pytest.fixture
def log() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(sarif.render(REVIEW))
    return document


def test_sarif_has_what_the_schema_of_2_1_0_requires(log: dict[str, Any]) -> None:
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"]
    assert driver["version"] == version("pytest-taskq")
    assert run["columnKind"] == "unicodeCodePoints"  # as test_a_column_counts_characters has it
    assert [one["id"] for one in driver["rules"]] == list(EVERY)
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"]
        assert rule["help"]["text"]
        assert rule["defaultConfiguration"]["level"] in {"none", "note", "warning", "error"}
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is True
    (notification,) = invocation["toolExecutionNotifications"]
    assert "known at run time only" in notification["message"]["text"]


def test_sarif_results_point_to_their_rule_and_place(log: dict[str, Any]) -> None:
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [one["ruleId"] for one in run["results"]] == ["REV-08", "REV-03"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert rules[result["ruleIndex"]]["defaultConfiguration"]["level"] == result["level"]
        assert result["message"]["text"]
        (location,) = result["locations"]
        region = location["physicalLocation"]["region"]
        assert region["startLine"] >= 1
        assert region["startColumn"] >= 1
    place = run["results"][1]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20b/%C3%BCber%2C50%25.py"  # a URI reference, RFC 3986
    assert (place["region"]["startLine"], place["region"]["startColumn"]) == (3, 7)


def test_a_workflow_command_is_one_line_whatever_is_in_it() -> None:
    must, should, last = github.render(REVIEW).splitlines()
    assert must.startswith("::error file=a b/über%2C50%25.py,line=3,col=7,title=REV-03::100 %25 of `x`%0D%0Aand: more.")
    assert should.startswith("::warning file=z.py,line=1,col=1,title=REV-08::seen.%0A")
    assert last == "5 statements in 2 files read: MUST 1 finding, SHOULD 1 finding"


def test_fewer_annotations_are_those_on_a_must_and_the_rest_is_counted() -> None:
    only, last = github.render(REVIEW, 1).splitlines()
    assert "title=REV-03" in only
    assert last.endswith("(1 more are not annotated)")


def test_json_says_everything() -> None:
    document = json.loads(as_json.render(REVIEW))
    assert (document["format"], document["files"], document["statements"]) == (1, 2, 5)
    _, found = document["findings"]
    assert found == {
        "rule": "REV-03",
        "level": "MUST",
        "path": PLACE.path,
        "line": 3,
        "column": 7,
        "seen": "100 % of `x`\r\nand: more",
        "code": "c.execute(x)",
        "text": RULES["REV-03"].text,
        "harm": RULES["REV-03"].harm,
        "instead": RULES["REV-03"].right,
    }
    assert document["not_checked"] == [
        {"path": "z.py", "line": 9, "column": 1, "reason": "the SQL is `y`, known at run time only"}
    ]


def test_a_review_comes_back_from_plain_lists_as_it_was() -> None:
    assert plain.from_plain(json.loads(json.dumps(plain.as_plain(REVIEW)))) == REVIEW


def test_a_column_counts_characters() -> None:
    review = review_text("def f(c, x): 'üü'; c.execute(f'SELECT id FROM t WHERE a = {x}')")
    (found,) = review.findings
    assert found.place.column == 60


@pytest.mark.parametrize("given", [("a.py", "-v", "b.py"), ("-v", "a.py", "b.py"), ("a.py", "b.py", "-v")])
def test_paths_and_options_may_be_mixed(
    given: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in "ab":
        (tmp_path / f"{name}.py").write_text("def f(cursor, sql):\n    cursor.execute(sql)\n")
    assert main(["review", *given]) == 0
    out = capsys.readouterr().out
    assert "a.py:2:20: not checked" in out
    assert "b.py:2:20: not checked" in out
    assert "in 2 files read" in out


def test_without_paths_it_is_this_folder_and_an_unknown_option_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.py").write_text("")
    assert main(["review"]) == 0
    assert "in 1 file read" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main(["review", "a.py", "--odd"])
    assert ended.value.code == 2
    assert "unrecognized arguments: --odd" in capsys.readouterr().err


def test_the_page_shows_the_rules_as_they_are() -> None:
    text = (Path(__file__).parents[3] / "docs" / "review.md").read_text(encoding="utf-8")
    assert text.partition("## The rules\n\n")[2].partition("\n## What it cannot see")[0] == page.rules()
