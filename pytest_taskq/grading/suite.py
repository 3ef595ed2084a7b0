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

from _pytest.mark.structures import ParameterSet  # pytest.param makes it, and exports no name for it

from pytest_taskq.contract import Instrument

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import FunctionType, ModuleType

    import pytest

PACKAGE = "pytest_taskq.conformance"


@dataclass(frozen=True, slots=True, order=True)
class Check:
    """A test function as the judge of one requirement."""

    requirement: str
    instrument: Instrument
    name: str


@dataclass(frozen=True, slots=True)
class ShippedTest:
    """One test of the suite: what it judges, the method and its class, and the parameters of this one."""

    check: Check
    group: type
    method: str
    parameters: dict[str, Any]


def suite_folder() -> Path:
    """Return the folder of the suite; it is not imported. Raises ImportError if there is none."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ImportError(f"{PACKAGE} is missing")
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
    return Counter(test.check for test in shipped_tests())


@cache
def shipped_tests() -> tuple[ShippedTest, ...]:
    """Return the tests of the suite, once for each requirement that one judges. Imports the suite."""
    return tuple(
        ShippedTest(_check(mark, function), group, function.__name__, parameters)
        for path in suite_files()
        for group, function in _test_functions(suite_module(path))
        for marks, parameters in _each_test(function)
        for mark in marks
        if mark.name == "taskq"
    )


def _check(mark: pytest.Mark, function: FunctionType) -> Check:
    return Check(mark.kwargs["requirement"], Instrument(mark.kwargs["instrument"]), check_name(function))


def _test_functions(module: ModuleType) -> Iterator[tuple[type, FunctionType]]:
    for name, group in vars(module).items():
        if name.startswith("Test") and inspect.isclass(group) and group.__module__ == module.__name__:
            tests = inspect.getmembers(group, inspect.isfunction)
            yield from ((group, test) for name, test in tests if name.startswith("test"))


def _each_test(function: FunctionType) -> Iterator[tuple[list[pytest.Mark], dict[str, Any]]]:
    """Yield marks and parameters of each test that a function makes."""
    marks = list(getattr(function, "pytestmark", []))
    parametrized = [_parameter_sets(*mark.args[:2]) for mark in marks if mark.name == "parametrize"]
    for sets in itertools.product(*parametrized):
        own = [getattr(mark, "mark", mark) for marks_of_set, _ in sets for mark in marks_of_set]
        yield [*marks, *own], {name: value for _, values in sets for name, value in values.items()}


def _parameter_sets(names: str | Sequence[str], sets: Iterable[Any]) -> list[tuple[Any, dict[str, Any]]]:
    """Return marks and values by name of each set of one ``parametrize``, as pytest reads them."""
    names = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    read = (ParameterSet.extract_from(one, force_tuple=len(names) == 1) for one in sets)
    return [(one.marks, dict(zip(names, one.values, strict=True))) for one in read]
