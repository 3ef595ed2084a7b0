"""The documentation says what is so: its code runs, its options exist, its figures are the contract's."""

from __future__ import annotations

import ast
import doctest
import re
from importlib import import_module
from itertools import count
from pathlib import Path
from types import ModuleType

import pytest
from grading import findings
from pages import ROOT, Block, blocks

from pytest_taskq.contract import Instrument, Verdict, combine
from pytest_taskq.contract.requirements import REQUIREMENTS

PATTERNS = blocks("python", "patterns.md")
GRADED = [(block, *named) for block in PATTERNS for named in block.graded_by]
KILLER = {requirement: instrument for block, requirement, instrument in GRADED if block.is_wrong}
SERIAL = count()


def loaded(code: str, folder: Path) -> ModuleType:
    """Import the code as a module of its own name, which the processes of a history can import too."""
    name = f"block_{next(SERIAL)}"
    (folder / f"{name}.py").write_text(code, encoding="utf-8")
    return import_module(name)


# --- code -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_each_block_of_python_is_python(block: Block):
    if ">>>" in block.code:
        assert doctest.DocTestParser().get_examples(block.code)
        return
    ast.parse(block.code)


def test_every_pattern_is_shown_wrong_and_right():
    sections = (ROOT / "docs" / "patterns.md").read_text(encoding="utf-8").split("\n## ")[1:-1]
    assert len(sections) > 5
    for section in sections:
        assert re.search(r"^Wrong", section, re.MULTILINE), section[:60]
        assert re.search(r"^Right by", section, re.MULTILINE), section[:60]


@pytest.mark.parametrize(
    ("block", "requirement", "instrument"), GRADED, ids=[f"{one.line}-{name}" for one, name, _ in GRADED]
)
def test_a_pattern_gets_the_verdict_that_the_page_gives_it(
    block: Block, requirement: str, instrument: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.syspath_prepend(tmp_path)
    adapter = loaded(PATTERNS[0].code + block.code, tmp_path).Adapter
    by = Instrument(instrument or KILLER.get(requirement) or REQUIREMENTS[requirement].instruments[0])
    found = findings(adapter, REQUIREMENTS[requirement], tmp_path, instrument=by)
    expected = Verdict.FAIL if block.is_wrong else Verdict.PASS
    assert combine(found) is expected, [f"{one.verdict}: {one.reason}\n{one.evidence}" for one in found]


@pytest.mark.soak
@pytest.mark.parametrize(
    ("block", "requirement"),
    [(block, name) for block, name, _ in GRADED if not block.is_wrong],
    ids=[f"{one.line}-{name}" for one, name, _ in GRADED if not one.is_wrong],
)
def test_a_right_pattern_passes_whatever_judges_the_requirement(
    block: Block, requirement: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.syspath_prepend(tmp_path)
    adapter = loaded(PATTERNS[0].code + block.code, tmp_path).Adapter
    found = findings(adapter, REQUIREMENTS[requirement], tmp_path, effort="pr")
    assert combine(found) is Verdict.PASS, [f"{one.verdict}: {one.reason}\n{one.evidence}" for one in found]
