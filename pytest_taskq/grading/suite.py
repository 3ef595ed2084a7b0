"""The conformance suite as it was shipped: where it is, and which checks judge which requirement.

A requirement is PASS only if all of its checks ran. What was collected cannot say that: ``--lf`` skips whole files, a
node id selects one test, and under pytest-xdist the controller collects nothing. So the modules are asked.
"""

from __future__ import annotations

import inspect
import itertools
from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_taskq.contract import Instrument

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FunctionType, ModuleType

PACKAGE = "pytest_taskq.conformance"


@dataclass(frozen=True, slots=True, order=True)
class Check:
    """A test function as the judge of one requirement."""

    requirement: str
    instrument: Instrument
    name: str


def suite_folder() -> Path:
    """Return the folder of the suite; it is not imported."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"{PACKAGE} is missing: this installation of pytest-taskq is not whole; install it again")
    return Path(spec.origin).parent


def suite_files() -> list[Path]:
    """Return the test files of the suite, in the order in which they run."""
    return sorted(suite_folder().glob("test_*.py"))


def suite_module(path: Path) -> ModuleType:
    """Import one of ``suite_files()``. Raises ImportError if that gives another file than ``path``.

    The module goes by its name below ``pytest_taskq`` in every import mode of pytest, so that a ``conformance`` folder
    of the user's own is never confused with it.
    """
    name = f"{PACKAGE}.{path.stem}"
    module = import_module(name)
    found = getattr(module, "__file__", None)
    if found is None or not Path(found).samefile(path):
        raise ImportError(
            f"{name} is {found}, but the suite is {path}: something stands in its place, and what it would grade is "
            "not the contract. Remove it from sys.modules or sys.path."
        )
    return module


def check_name(function: FunctionType) -> str:
    """Return what a check is called wherever it is collected: by the suite, by an import, or in a subclass."""
    return f"{function.__module__.rpartition('.')[2]}::{function.__qualname__}"


@cache
def shipped_checks() -> Counter[Check]:
    """Return how many tests (parameters counted) each check of the suite makes. Imports the suite."""
    checks: Counter[Check] = Counter()
    for path in suite_files():
        for function in _test_functions(suite_module(path)):
            for marks in _marks_of_each_test(function):
                checks.update(
                    Check(mark.kwargs["requirement"], Instrument(mark.kwargs["instrument"]), check_name(function))
                    for mark in marks
                    if mark.name == "taskq"
                )
    return checks


def _test_functions(module: ModuleType) -> Iterator[FunctionType]:
    for name, group in vars(module).items():
        if name.startswith("Test") and inspect.isclass(group) and group.__module__ == module.__name__:
            yield from (test for name, test in inspect.getmembers(group, inspect.isfunction) if name.startswith("test"))


def _marks_of_each_test(function: FunctionType) -> Iterator[list[Any]]:
    marks = list(getattr(function, "pytestmark", []))
    parametrized = [mark.args[1] for mark in marks if mark.name == "parametrize"]
    for parameters in itertools.product(*parametrized):
        own = (getattr(mark, "mark", mark) for parameter in parameters for mark in getattr(parameter, "marks", ()))
        yield [*marks, *own]
