"""What the documentation shows is what happens."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

from pytest_taskq.checkers.by_name import CHECKS
from pytest_taskq.cli import main

PAGE = Path(__file__).parents[3] / "docs" / "checkers.md"


def test_the_examples_of_the_page_run() -> None:
    result = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert result.attempted > 10
    assert result.failed == 0


def test_the_file_on_the_page_is_one(tmp_path: Path) -> None:
    shown = re.search(r'```\n(\{"taskq_history.*?)```', PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert shown
    (tmp_path / "h.jsonl").write_text(shown[1], encoding="utf-8")
    assert main(["check", str(tmp_path / "h.jsonl")]) == 0
    assert all(name in CHECKS for name in ("fifo by row", "leases"))
