"""Imports point one way, and the core touches neither pytest nor the world."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.util import resolve_name
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pytest_taskq

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(pytest_taskq.__file__).parent
PAIRS = PACKAGE / "contract" / "snippets"

# A package may import those of a smaller number, and itself.
RANK = {
    "contract": 0,
    "history": 1,
    "checkers": 2,
    "model": 2,
    "interleaving": 3,
    "faults": 3,
    "latency": 3,
    "reports": 4,
    "plugin": 5,
}
PURE = ("contract", "history", "checkers", "model")
WORLD = {
    *("pytest", "_pytest", "pluggy", "sqlite3", "psycopg", "_sqlite3"),
    *("os", "io", "pathlib", "shutil", "tempfile", "subprocess", "socket", "multiprocessing"),
}
IO_CALLS = {"open", "print", "input"}


def is_pair(path: Path) -> bool:
    """Whether it is an adapter that `taskq explain` shows, which is text to the contract and no part of it."""
    return path.parent == PAIRS and path.name != "__init__.py"


def modules() -> Iterator[tuple[str, Path]]:
    """Yield the dotted name and the file of each module in the ranked packages."""
    for part in RANK:
        for path in (PACKAGE / f"{part}.py", *sorted((PACKAGE / part).rglob("*.py"))):
            if path.exists() and not is_pair(path):
                yield ".".join(("pytest_taskq", *path.relative_to(PACKAGE).with_suffix("").parts)), path


def imported(module: str, tree: ast.AST) -> Iterator[str]:
    """Yield the full name of all that the module imports, also inside functions and for type checking."""
    package = module.removesuffix(".__init__") if module.endswith(".__init__") else module.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package) if node.level else node.module
            yield from (f"{base}.{alias.name}" for alias in node.names)


def part_of(name: str) -> str | None:
    root, _, rest = name.partition(".")
    return rest.split(".")[0] if root == "pytest_taskq" and rest else None


def upward(module: str, tree: ast.AST) -> list[str]:
    """Return the imports that point to a package of the same or a higher rank; for a pure one, to any unranked too."""
    own = part_of(module)
    assert own is not None
    below = {part for part, rank in RANK.items() if rank < RANK[own]}
    wrong = []
    for name in imported(module, tree):
        part = part_of(name)
        if part in {None, own} or part in below:
            continue
        if part in RANK or own in PURE:
            wrong.append(name)
    return wrong


def impure(module: str, tree: ast.AST) -> list[str]:
    """Return what the module imports or calls that reaches pytest, a database or the file system."""
    names = [name for name in imported(module, tree) if name.partition(".")[0] in WORLD]
    calls = [node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    return names + [call for call in calls if call in IO_CALLS]


MODULES = dict(modules())
PURE_MODULES = [name for name in MODULES if part_of(name) in PURE]


def tree_of(module: str) -> ast.AST:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def test_the_modules_of_the_contract_are_among_those_looked_at() -> None:
    assert {"pytest_taskq.contract.verdict", "pytest_taskq.contract.requirements.claiming"} <= set(PURE_MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_lies_below_it(module: str) -> None:
    assert upward(module, tree_of(module)) == []


@pytest.mark.parametrize("module", PURE_MODULES)
def test_a_module_of_the_core_touches_neither_pytest_nor_the_world(module: str) -> None:
    assert impure(module, tree_of(module)) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("pytest_taskq.contract.task", "from pytest_taskq.reports import contract_page"),
        ("pytest_taskq.contract.task", "import pytest_taskq.plugin"),
        ("pytest_taskq.contract.task", "from ..model import state"),
        ("pytest_taskq.contract.__init__", "from ..model import state"),
        ("pytest_taskq.contract.task", "from pytest_taskq import plugin"),
        ("pytest_taskq.model.state", "from pytest_taskq.checkers import order"),
        ("pytest_taskq.model.state", "def late():\n    from pytest_taskq.interleaving import schedule"),
        ("pytest_taskq.model.state", "from pytest_taskq.subject import Subject"),
        ("pytest_taskq.reports.page", "from pytest_taskq.plugin import pytest_configure"),
    ],
)
def test_an_import_that_points_upward_is_seen(module: str, source: str) -> None:
    assert len(upward(module, ast.parse(source))) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("pytest_taskq.model.state", "from pytest_taskq.contract import Task"),
        ("pytest_taskq.model.state", "from . import calls"),
        ("pytest_taskq.model.state", "import json"),
        ("pytest_taskq.reports.page", "from pytest_taskq.model.state import State"),
        ("pytest_taskq.plugin", "from pytest_taskq.subject import Subject"),
    ],
)
def test_an_import_that_points_downward_is_allowed(module: str, source: str) -> None:
    assert upward(module, ast.parse(source)) == []


@pytest.mark.parametrize(
    "source", ["import pytest", "from sqlite3 import connect", "import os.path", "open('x')", "print('x')"]
)
def test_a_touch_of_the_world_is_seen(source: str) -> None:
    assert len(impure("pytest_taskq.contract.task", ast.parse(source))) == 1


def test_importing_the_contract_loads_no_test_tool_and_no_database() -> None:
    program = (
        "import sys, pytest_taskq.contract, pytest_taskq.contract.requirements; "
        "print(*sorted({'pytest', '_pytest', 'hypothesis', 'sqlite3', 'rich', 'jinja2'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    assert result.stdout.split() == []


def pairs_imported(module: str, tree: ast.AST) -> list[str]:
    """Return the adapters shown by `taskq explain` that a module imports."""
    below = f"pytest_taskq.contract.{PAIRS.name}."
    pairs = {f"{below}{path.stem}" for path in PAIRS.glob("*.py") if is_pair(path)}
    return [name for name in imported(module, tree) if any(f"{name}.".startswith(f"{pair}.") for pair in pairs)]


def test_what_explain_shows_is_imported_by_nothing_in_the_package() -> None:
    wrong = {}
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if PAIRS.name in text:
            module = ".".join(("pytest_taskq", *path.relative_to(PACKAGE).with_suffix("").parts))
            wrong[module] = pairs_imported(module, ast.parse(text))
    assert "pytest_taskq.contract.requirement" in wrong
    assert {module: names for module, names in wrong.items() if names} == {}


@pytest.mark.parametrize(
    "source",
    [
        "from pytest_taskq.contract.snippets import clm_02",
        "from pytest_taskq.contract.snippets.clm_02 import Broken",
        "import pytest_taskq.contract.snippets.clm_02",
        "def late():\n    from .snippets import clm_02",
    ],
)
def test_an_import_of_what_explain_shows_is_seen(source: str) -> None:
    assert len(pairs_imported("pytest_taskq.contract.requirement", ast.parse(source))) == 1


def test_the_requirements_are_imported_without_a_look_at_what_explain_shows() -> None:
    program = (
        "import sys\n"
        "opened = []\n"
        "sys.addaudithook(lambda event, given: opened.append(str(given[0])) if event == 'open' else None)\n"
        "from pytest_taskq.contract.requirements import REQUIREMENTS\n"
        "pairs = lambda: [path[-9:] for path in opened if 'snippets' in path and '__init__' not in path]\n"
        "print(pairs())\n"
        "assert REQUIREMENTS['CLM-02'].snippet\n"
        "print(pairs())\n"
    )
    result = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    assert result.stdout.splitlines() == ["[]", "['clm_02.py']"]
