"""How a scenario is put on the list of its requirements."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pytest_taskq.interleaving.scenario import Scenario
    from pytest_taskq.subject import Subject

    Make = Callable[[Subject], Iterable[Scenario]]

Function = TypeVar("Function", bound="Make")

registered: dict[str, list[Make]] = {}


def races(*requirement_ids: str) -> Callable[[Function], Function]:
    """Say that a function makes scenarios of these requirements."""

    def register(make: Function) -> Function:
        for requirement_id in requirement_ids:
            registered.setdefault(requirement_id, []).append(make)
        return make

    return register
