"""The mark by which a test of the suite says which requirement it judges, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import pytest

from pytest_taskq.contract import Instrument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _pytest.mark.structures import ParameterSet

    from pytest_taskq.contract import Requirement

Test = TypeVar("Test", bound="Callable[..., object]")


def requirement(requirement_id: str, instrument: Instrument = Instrument.DIRECT_EXAMPLE) -> Callable[[Test], Test]:
    """Mark a test as judging ``requirement_id`` by ``instrument``."""
    mark = pytest.mark.taskq(requirement=requirement_id, instrument=instrument.value)

    def marked(test: Test) -> Test:
        return mark(test)  # type: ignore[no-any-return]  # a mark returns what it decorates

    return marked


def each(requirements: Iterable[Requirement], instrument: Instrument) -> list[ParameterSet]:
    """Return one parameter per requirement, its id as test id, marked as judged by ``instrument``."""
    return [
        pytest.param(one, id=one.id, marks=pytest.mark.taskq(requirement=one.id, instrument=instrument.value))
        for one in requirements
    ]
