"""Each rule reports its wrong code and says nothing of the right; what is silenced says why."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from pytest_taskq.cli import main
from pytest_taskq.review.catalogue import RULES, Rule
from pytest_taskq.review.reviewing import review_text

ROOT = Path(__file__).parents[3]
HEAD = """
import os, sqlite3, json, logging
from datetime import datetime
from pytest_taskq.reference_impl import QueueDatabase, Task
LOG = logging.getLogger()
TABLE = "task_queue"
"""


def ids(code: str) -> list[str]:
    return [one.rule.id for one in review_text(HEAD + code).findings]


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_a_rule_reports_its_wrong_code_and_not_the_right(rule: Rule) -> None:
    assert rule.id in ids(rule.wrong)
    assert ids(rule.right) == []


@pytest.mark.parametrize(
    "code",
    [
        "def f(c, x):\n    c.execute('SELECT id FROM t WHERE a = %s' % x)",
        "def f(c, x):\n    c.execute('SELECT id FROM t WHERE a = ' + x)",
        "def f(c, x):\n    c.execute('SELECT id FROM t WHERE a = {}'.format(x))",
        "def f(c, x):\n    sql = f\"DELETE FROM {TABLE} WHERE a = '{x}'\"\n    c.execute(sql)",
        "def f(c, x):\n    sql = 'SELECT id FROM t'\n    sql += f' WHERE a = {x}'\n    c.execute(sql)",
    ],
)
def test_a_value_in_sql_is_seen_however_it_got_there(code: str) -> None:
    assert ids(code) == ["REV-03"]


@pytest.mark.parametrize(
    "code",
    [
        "def f(c, x):\n    c.execute(f'SELECT id FROM {TABLE} WHERE a = ?', (x,))",
        "def f(c, x):\n    c.execute('SELECT id FROM t WHERE a IN (%s)' % ','.join('?' * len(x)), x)",
        "def f(c, k, x):\n    c.execute(f\"DELETE FROM {dict(a='t')[k]} WHERE id = ?\", (x,))",
        (
            "ORDERS = {'old': 'id', 'new': 'id DESC'}\n"
            "def f(c, k):\n    c.execute(f'SELECT id FROM t ORDER BY {ORDERS[k]} LIMIT 1')"
        ),
    ],
)
def test_sql_put_together_from_constants_is_no_injection(code: str) -> None:
    assert ids(code) == []


def test_an_ignore_with_a_reason_silences_and_one_without_is_reported() -> None:
    code = "def f(c, x):\n    c.execute(f'SELECT id FROM t WHERE a = {x}')  # taskq: ignore[REV-03]"
    assert sorted(ids(code)) == ["IGNORE", "REV-03"]
    assert ids(f"{code} a number of our own") == []
    assert ids("A = 1  # taskq: ignore[REV-03] nothing here") == ["IGNORE"]


def test_the_examples_are_clean(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["review", str(ROOT / "examples"), "--format=json"]) == 0
    assert json.loads(capsys.readouterr().out)["findings"] == []


def test_the_exit_code_is_0_for_clean_1_for_findings_and_2_if_it_could_not_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "reads.py"
    file.write_text(HEAD + RULES["REV-08"].wrong)
    assert main(["review", str(file)]) == 0
    assert main(["review", str(file), "--strict"]) == 1
    file.write_text(HEAD + RULES["REV-03"].wrong)
    assert main(["review", str(file)]) == 1
    assert main(["review", str(tmp_path / "missing")]) == 2
    monkeypatch.setitem(sys.modules, "sqlglot", None)
    monkeypatch.setattr("pytest_taskq.review.sql.find_spec", lambda _: None)
    assert main(["review", str(file)]) == 2
    assert "pip install" in capsys.readouterr().err


def test_what_cannot_be_parsed_is_listed_and_no_error(tmp_path: Path) -> None:
    from pytest_taskq.review.reviewing import review_paths

    (tmp_path / "broken.py").write_text("import sqlite3\ndef")
    (tmp_path / "latin.py").write_bytes(b"a = '\xff'")
    (tmp_path / "book.ipynb").write_text("{}")
    review = review_paths([tmp_path], tmp_path)
    assert {one.place.path for one in review.not_checked} == {"broken.py", "latin.py", "book.ipynb"}
