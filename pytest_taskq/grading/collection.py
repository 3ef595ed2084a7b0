"""The suite as part of a user's session: its nodes, and which of its tests are wanted."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest

from pytest_taskq.grading.suite import suite_files, suite_folder, suite_module

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

# Not the path of the files: node ids must be the same on every machine and differ from those of a user's own folder.
_NODE_ID = "pytest_taskq/conformance"


class SuiteFolder(pytest.Directory):
    """The folder of the suite, joined to what pytest collects; the user's naming settings do not reach it."""

    @classmethod
    def joined_to(cls, session: pytest.Session) -> SuiteFolder:
        """Return the suite as one more thing that ``session`` collects."""
        return cls.from_parent(session, path=suite_folder(), nodeid=_NODE_ID)

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """Yield the classes of all files; not the files, which ``--lf`` would skip: they are not in the rootdir."""
        for path in suite_files():
            module = SuiteModule.from_parent(self, path=path, nodeid=f"{_NODE_ID}/{path.name}")
            yield from module.collect()


class SuiteModule(pytest.Module):
    """A file of the suite."""

    def _getobj(self) -> ModuleType:
        try:
            return suite_module(self.path)
        except ImportError as error:
            raise self.CollectError(str(error)) from error

    def classnamefilter(self, name: str) -> bool:
        """Whether a class is collected, whatever ``python_classes`` says."""
        return name.startswith("Test")

    def funcnamefilter(self, name: str) -> bool:
        """Whether a function is collected, whatever ``python_functions`` says."""
        return name.startswith("test")


class SuiteClass(pytest.Class):
    """A class of the suite."""

    def funcnamefilter(self, name: str) -> bool:
        """Whether a method is collected, whatever ``python_functions`` says."""
        return name.startswith("test")


def suite_class(collector: pytest.Collector, name: str, obj: object) -> SuiteClass | None:
    """Return the node of a class of the suite, None for anything else."""
    if isinstance(collector, SuiteModule) and inspect.isclass(obj) and collector.classnamefilter(name):
        node: SuiteClass = SuiteClass.from_parent(collector, name=name, obj=obj)
        return node
    return None


def requirement_mark(item: pytest.Item) -> pytest.Mark | None:
    """Return the mark by which an item says that it judges a requirement."""
    mark = item.get_closest_marker("taskq")
    return mark if mark is not None and "requirement" in mark.kwargs else None


def is_joined(item: pytest.Item) -> bool:
    """Whether an item came through ``--taskq-conformance``, not through an import in the user's file."""
    return item.getparent(SuiteFolder) is not None


def own_arguments(item: pytest.Function) -> dict[str, Any]:
    """Return the arguments that pytest would call the test with."""
    return {name: item.funcargs[name] for name in item._fixtureinfo.argnames}  # noqa: SLF001 - as every plugin that calls tests itself
