"""The documentation says what is so: its code runs, its options exist, its figures are the contract's."""

from __future__ import annotations

import ast
import doctest
import os
import re
import shlex
import subprocess
import sys
from importlib import import_module
from itertools import count
from pathlib import Path
from types import ModuleType

import pytest
from grading import findings
from pages import ROOT, Block, blocks, pages

from pytest_taskq.cli.commands import parsed
from pytest_taskq.contract import METHODS, Instrument, Level, Role, Verdict, combine
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.doctor.beginning import beginning

PATTERNS = blocks("python", "patterns.md")
GRADED = [(block, *named) for block in PATTERNS for named in block.graded_by]
KILLER = {requirement: instrument for block, requirement, instrument in GRADED if block.is_wrong}
SERIAL = count()
QUICK = ("--taskq-effort=smoke", "--taskq-seed=1", "--color=no", "-p", "no:cacheprovider")


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


def test_the_story_of_the_first_verdict_goes_as_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "myworker").mkdir()
    (tmp_path / "myworker" / "__init__.py").touch()
    told = [*blocks("python", "start.md"), *blocks("toml", "start.md")]
    broken, adapter, mended, settings = (block for block in told if block.file)
    for block in (broken, adapter, settings):
        (tmp_path / block.file).write_text(block.code, encoding="utf-8")

    (again,) = (line for line in commands("start.md") if "FIN-03" in line)
    seen = ran(again, tmp_path, code=1)
    (evidence,) = (block.code for block in blocks("text", "start.md") if block.code.startswith("FIN-03"))
    assert evidence.partition("look at")[0].split() == seen[seen.index("FIN-03 MUST") :].partition("why")[0].split()

    (tmp_path / mended.file).write_text(mended.code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    found = findings(
        import_module("myworker.taskq_adapter").Adapter, REQUIREMENTS["FIN-03"], tmp_path, instrument=Instrument.MODEL
    )
    assert combine(found) is Verdict.PASS


def test_the_user_writes_at_most_ten_lines():
    _, adapter, _ = (block for block in blocks("python", "start.md") if block.file)
    (settings,) = blocks("toml", "start.md")
    lines = [line for block in (adapter, settings) for line in block.code.splitlines() if line.strip()]
    assert len([line for line in lines if not line.startswith("#")]) <= 10


def test_the_queue_with_its_own_storage_passes_what_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(tmp_path)
    (block,) = blocks("python", "standalone.md")
    adapter = loaded(block.code, tmp_path).Adapter
    for requirement, by in {"CLM-02": "interleavings", "ENQ-02": "direct example", "FIN-03": "model"}.items():
        found = findings(adapter, REQUIREMENTS[requirement], tmp_path, instrument=Instrument(by))
        assert combine(found) is Verdict.PASS, [f"{one.reason}\n{one.evidence}" for one in found]


# --- commands ---------------------------------------------------------------------------------------------------------


def commands(page: str = "") -> list[str]:
    """The lines of the shell blocks, without comments."""
    lines = [line for block in blocks("sh", page) for line in block.code.splitlines()]
    return [line.partition(" #")[0].strip() for line in lines if line.strip()]


def ran(command: str, folder: Path, *, code: int) -> str:
    """Run a command of pytest as it is written, in the folder, with little effort; return its output."""
    words = shlex.split(command)[1:]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COVERAGE"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, *QUICK],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def test_each_option_that_is_shown_exists(pytestconfig: pytest.Config):
    known = {name for option in pytestconfig._parser._anonymous.options for name in option.names()}
    for group in pytestconfig._parser._groups:
        known |= {name for option in group.options for name in option.names()}
    shown = [shlex.split(line) for line in commands()]
    words = [word for first, *others in shown if first == "pytest" for word in others]
    options = {match[0] for word in words if (match := re.match(r"--[\w-]+|-\w", word))}
    assert options
    assert options <= known


@pytest.mark.parametrize("command", sorted({line for line in commands() if line.startswith("taskq ")}))
def test_each_command_of_taskq_is_understood(command: str):
    parsed(shlex.split(command)[1:])


def test_each_target_of_make_that_is_shown_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    shown = {line.split()[1] for line in commands() if line.startswith("make ")}
    assert shown
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in shown)


def test_the_doctor_prints_the_lines_of_the_page():
    _, adapter, _ = (block for block in blocks("python", "start.md") if block.file)
    (settings,) = blocks("toml", "start.md")
    printed = beginning(Role.ENGINE)
    assert "def complete_task(self, task, worker_id):" in adapter.code
    assert "def complete_task(self, task, worker_id):" in printed
    assert all(line in printed for line in settings.code.splitlines())


# --- facts ------------------------------------------------------------------------------------------------------------


def test_the_table_of_what_is_graded_is_the_contracts():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for role in Role:
        methods = [name for name, one in METHODS.items() if one.role is role]
        of_the_role = sum(one.role is role for one in REQUIREMENTS.values())
        graded = sum(not set(methods).isdisjoint(one.grades) for one in REQUIREMENTS.values())
        listed = ", ".join(f"`{name}`" for name in methods)
        assert f"| {role} | {listed} | {of_the_role} | {graded} |" in readme
    must = sum(one.level is Level.MUST for one in REQUIREMENTS.values())
    assert f"{len(REQUIREMENTS)} requirements in all, {must} of them MUST" in readme
    assert f"{len(REQUIREMENTS)} numbered requirements" in (ROOT / "docs" / "why.md").read_text(encoding="utf-8")


def test_each_bug_is_cited_where_the_contract_cites_it():
    row = re.compile(r"\| \[(?P<bug>[^\]]+#\d+)\]\((?P<link>[^)]+)\) \| \[(?P<requirement>[A-Z]{3}-\d\d)\]")
    cited = list(row.finditer((ROOT / "docs" / "why.md").read_text(encoding="utf-8")))
    assert len(cited) > 10
    for one in cited:
        assert one["bug"] in REQUIREMENTS[one["requirement"]].bugs
        assert one["link"] == "https://github.com/" + one["bug"].replace("#", "/issues/")


def test_every_requirement_that_a_page_names_is_in_the_contract():
    named = re.compile(rf"\b(?:{'|'.join({name[:3] for name in REQUIREMENTS})})-\d\d\b")
    for page in pages():
        unknown = set(named.findall(page.read_text(encoding="utf-8"))) - set(REQUIREMENTS)
        assert not unknown, page.name


def test_each_pitfall_says_symptom_cause_and_cure_and_the_queues_own_who_finds_it():
    text = (ROOT / "docs" / "pitfalls.md").read_text(encoding="utf-8")
    queues, _, kits = text.partition("\n## With the kit itself")
    for part, asked in ((queues, 4), (kits, 3)):
        pitfalls = part.split("\n### ")[1:]
        assert len(pitfalls) > 3
        for one in pitfalls:
            fields = re.findall(r"^- \*\*(\w[\w ]*)\*\*", one, re.MULTILINE)
            assert fields == ["Symptom", "Cause", "Cure", "Found by"][:asked], one
