"""What is known of each broken queue: the requirement that must fail it, by which instrument, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_taskq.contract import Instrument

if TYPE_CHECKING:
    from collections.abc import Callable

Adapter = TypeVar("Adapter", bound=type[Any])

MODEL = Instrument.MODEL
DIRECT = Instrument.DIRECT_EXAMPLE
ORACLE = Instrument.ORACLE
COST = Instrument.QUERY_COST
CRASH = Instrument.CRASH_POINTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A broken queue and one expectation of it; ``reason`` is a regular expression found in the evidence."""

    name: str
    requirement: str
    instrument: Instrument
    adapter: str
    twin: str
    reason: str
    does: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """A correct queue; ``short_of`` maps the SHOULDs that it does not reach, by design, to why."""

    adapter: str
    short_of: tuple[tuple[str, str], ...] = ()


MUTANTS: list[Mutant] = []
TWINS: list[Twin] = []


def name_of(adapter: type[Any]) -> str:
    """Return ``module:Class``."""
    return f"{adapter.__module__}:{adapter.__qualname__}"


def breaks(
    requirement: str, instrument: Instrument, reason: str, *, twin: type[Any] | None = None
) -> Callable[[Adapter], Adapter]:
    """Say that the class must be failed by ``requirement``; its twin is its base class unless given."""

    def register(adapter: Adapter) -> Adapter:
        MUTANTS.append(
            Mutant(
                name=adapter.__name__,
                requirement=requirement,
                instrument=instrument,
                adapter=name_of(adapter),
                twin=name_of(twin or adapter.__bases__[0]),
                reason=reason,
                does=(adapter.__doc__ or "").strip().partition("\n")[0],
            )
        )
        return adapter

    return register


def twin(**short_of: str) -> Callable[[Adapter], Adapter]:
    """Say that the class keeps the contract; keywords (``SCH_08="why"``) name the SHOULDs that it does not reach."""

    def register(adapter: Adapter) -> Adapter:
        short = tuple((name.replace("_", "-"), why) for name, why in short_of.items())
        TWINS.append(Twin(adapter=name_of(adapter), short_of=short))
        return adapter

    return register
