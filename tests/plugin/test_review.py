"""``pytest --taskq-review``: an item for each source, in step with what else pytest does; no source is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlglot.dialects  # noqa: F401 - in-process sessions drop what they import
from worker_repo import said

import pytest_taskq.review.hooks  # noqa: F401

if TYPE_CHECKING:
    from pathlib import Path

    from worker_repo import Team

BAD = "boom\ndef find(c, x):\n    return c.execute(f\"SELECT id FROM t WHERE a = '{x}'\").fetchone()\n"
WARN = ("-W", "default::pytest.PytestWarning")
SHORT = "boom\ndef find(c):\n    return c.execute('SELECT * FROM tasks WHERE id = 1').fetchone()\n"
WHO_REVIEWS = """
import os, pytest_taskq.review.hooks as hooks
real = hooks.review_paths
def review_paths(paths, folder):
    with open(os.path.join(folder, "reviewers"), "a") as file:
        file.write(f"{os.getpid()} ")
    return real(paths, folder)
hooks.review_paths = review_paths
"""


@pytest.fixture
def shop(team: Team) -> Path:
    """Two sources in a package that cannot be imported, and a test that passes."""
    team.pytester.makeini("[pytest]\n")
    folder: Path = team.pytester.mkpydir("shop")
    (folder / "__init__.py").write_text("boom\n")
    (folder / "bad.py").write_text(BAD)
    (folder / "short.py").write_text(SHORT)
    (folder / "book.ipynb").write_text("{}")
    team.pytester.makepyfile(test_theirs="def test_theirs(): pass")
    return folder


def test_findings_fail_the_item_of_their_file_and_lf_runs_it_again(team: Team, shop: Path) -> None:
    result = team.pytest("--taskq-review", "-v", *WARN)
    result.assert_outcomes(passed=5, failed=1, skipped=1, warnings=1)
    result.stdout.fnmatch_lines_random(["shop/bad.py::review FAILED*", "shop/short.py::review PASSED*"])
    result.stdout.fnmatch_lines(["shop/bad.py:3:*: REV-03 MUST: the value `x` is spliced into the SQL"])
    result.stdout.fnmatch_lines(["*short.py:3: ReviewWarning: REV-08 SHOULD: SELECT [*] reads*"])
    result.stdout.fnmatch_lines(["FAILED shop/bad.py::review - REV-03*"])
    again = team.pytest("--taskq-review", "--lf")
    again.assert_outcomes(failed=1)
    assert (shop / "bad.py").read_text() == BAD


@pytest.mark.parametrize(
    ("options", "outcomes"),
    [
        (("-k", "short"), {"passed": 1, "deselected": 6, "warnings": 1}),
        (("-k", "short", "-W", "error"), {"failed": 1, "deselected": 6}),
        (("shop/bad.py::review",), {"failed": 1}),
        (("shop/short.py", "--taskq-strict"), {"failed": 1}),
        (("test_theirs.py::test_theirs",), {"passed": 1}),
    ],
    ids=["k", "error", "node", "strict", "test"],
)
@pytest.mark.usefixtures("shop")
def test_items_are_chosen_as_tests_are(team: Team, options: tuple[str, ...], outcomes: dict[str, int]) -> None:
    team.pytest("--taskq-review", "-p", "no:cacheprovider", *WARN, *options).assert_outcomes(**outcomes)


@pytest.mark.usefixtures("shop")
def test_workers_of_xdist_share_the_items_of_one_review(team: Team) -> None:
    team.pytester.makeconftest(WHO_REVIEWS)
    result = team.pytest("--taskq-review", "-n", "2", apart=True)
    result.assert_outcomes(passed=6, failed=1, skipped=1, warnings=1)
    assert str(result.stdout).count("REV-03 MUST: the value `x` is spliced") == 1
    assert len((team.pytester.path / "reviewers").read_text().split()) == 1


def test_without_the_parser_it_is_a_usage_error(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_taskq.review.sql.find_spec", lambda _: None)
    result = team.pytest("--taskq-review")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "--taskq-review: the review reads SQL with sqlglot" in said(result)
