"""What is raced against what, requirement by requirement; adding one is a function of a few lines."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from pytest_taskq.interleaving.scenarios.registry import registered

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_taskq.interleaving.scenario import Scenario
    from pytest_taskq.interleaving.scenarios.registry import Make
    from pytest_taskq.subject import Subject

_made: WeakKeyDictionary[Subject, dict[Make, tuple[Scenario, ...]]] = WeakKeyDictionary()


def _load() -> None:
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")


def requirements() -> frozenset[str]:
    """Return the ids of the requirements that have scenarios."""
    _load()
    return frozenset(registered)


def scenarios_of(requirement_id: str, subject: Subject) -> Iterable[Scenario]:
    """Yield the scenarios of one requirement for ``subject``; those that requirements share are the same objects."""
    _load()
    made = _made.setdefault(subject, {})
    for make in registered[requirement_id]:
        if make not in made:
            made[make] = tuple(make(subject))
        yield from made[make]
