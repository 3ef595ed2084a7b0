"""An adapter string becomes a class, or a text that says what to do."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING

import pytest

from pytest_taskq import QueueAdapter, StandaloneAdapter
from pytest_taskq.subject.loading import AdapterError, load_adapter

if TYPE_CHECKING:
    from collections.abc import Iterator


class Fits(QueueAdapter):
    def cancel_task(self, task_id) -> bool:
        return True


class OneArgumentShort(QueueAdapter):
    def complete_task(self, task) -> bool:
        return True


class NoRetryKeyword(QueueAdapter):
    def fail_task(self, task, worker_id, error) -> bool:
        return True


class TakesAnything(QueueAdapter):
    def fail_task(self, *arguments, **keywords) -> bool:
        return True


class Static(QueueAdapter):
    @staticmethod
    def queue_stats():
        return {}


class NotAMethod(StandaloneAdapter):
    claim_task = "later"


class OwnsUnknown(QueueAdapter):
    owned = frozenset({"no_such_method"})


class OddPromises(QueueAdapter):
    promises = {"time_precision": 1}  # noqa: RUF012 - wrong on purpose


def function() -> None:
    """Not a class."""


@pytest.fixture(autouse=True)
def module() -> Iterator[None]:
    """The classes above under a name that the adapter strings can use."""
    stand_in = types.ModuleType("team_module")
    stand_in.__dict__.update({name: value for name, value in globals().items() if isinstance(value, type)})
    stand_in.function = function
    stand_in.instance = Fits("sqlite:///x")
    sys.modules["team_module"] = stand_in
    yield
    del sys.modules["team_module"]


@pytest.mark.parametrize("name", ["Fits", "TakesAnything", "Static"])
def test_a_class_with_fitting_methods_is_loaded(name: str) -> None:
    assert load_adapter(f"team_module:{name}").__name__ == name


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (None, "three ways"),
        ("", "three ways"),
        ("team_module", "not of the form module:Class"),
        ("team_module:", "not of the form module:Class"),
        ("no_such_module_anywhere:Adapter", "ModuleNotFoundError"),
        ("team_module:Missing", "has no 'Missing'"),
        ("team_module:function", "not a class"),
        ("team_module:instance", "not a class"),
        ("builtins:dict", "does not derive from"),
        (
            "team_module:OneArgumentShort",
            r"complete_task\(self, task\).* cannot be called as complete_task\(task, worker_id\)",
        ),
        ("team_module:NoRetryKeyword", "unexpected keyword argument 'retry'|got an unexpected"),
        ("team_module:NotAMethod", "not a method"),
        ("team_module:OwnsUnknown", "no_such_method"),
        ("team_module:OddPromises", "must be pytest_taskq.Promises"),
    ],
)
def test_what_is_no_adapter_is_refused_with_the_reason(name: str | None, text: str) -> None:
    with pytest.raises(AdapterError, match=text):
        load_adapter(name)


def test_all_misfits_are_named_at_once() -> None:
    class Two(OneArgumentShort, NoRetryKeyword):
        pass

    sys.modules["team_module"].Two = Two
    with pytest.raises(AdapterError) as refused:
        load_adapter("team_module:Two")
    assert "complete_task" in str(refused.value)
    assert "fail_task" in str(refused.value)
