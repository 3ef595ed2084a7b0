"""The one catalogue: each broken queue with the requirement that must fail it, by which instrument, and why."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_taskq.contract import Instrument
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.reference_impl import Adapter as Reference
from pytest_taskq.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Adapter = TypeVar("Adapter", bound=type[Any])

MODEL = Instrument.MODEL
DIRECT = Instrument.DIRECT_EXAMPLE
ORACLE = Instrument.ORACLE
COST = Instrument.QUERY_COST
CRASH = Instrument.CRASH_POINTS
RACE = Instrument.INTERLEAVINGS
HISTORY = Instrument.HISTORY
TIMING = Instrument.TIMING
STATISTICS = Instrument.STATISTICS


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
    """A correct queue; ``short_of`` maps the SHOULDs that it does not reach, by design, to why.

    A ``detail`` sets it off from the correct queue that it is made of, which shows in single calls: in what order, how
    long, which tasks. What several workers or a death can do to it, they can do to the other.
    """

    adapter: str
    short_of: tuple[tuple[str, str], ...] = ()
    detail: bool = False


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All broken queues, one entry for each thing expected of one, and all correct ones."""

    mutants: tuple[Mutant, ...]
    twins: tuple[Twin, ...]

    @property
    def kills(self) -> dict[str, dict[str, str]]:
        """What each broken queue does, by name, under each requirement that must fail it, in the contract's order."""
        found: dict[str, dict[str, str]] = {name: {} for name in REQUIREMENTS}
        for one in self.mutants:
            found[one.requirement][one.name] = one.does
        return {name: queues for name, queues in found.items() if queues}


MUTANTS: list[Mutant] = []
TWINS: list[Twin] = []

# Requirements that the suite judges and that no broken queue tries yet. It may only become smaller.
WAITING: frozenset[str] = frozenset()


@cache
def catalogue() -> Catalogue:
    """Return all that the modules of this folder register, in an order that every process gives."""
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.stem != "__init__":
            import_module(f"mutant_queues.{path.stem}")
    mutants = sorted(MUTANTS, key=lambda one: (one.adapter, one.requirement, one.instrument))
    return Catalogue(tuple(mutants), tuple(sorted(TWINS, key=lambda one: one.adapter)))


def adapter_of(name: str) -> type[Any]:
    """Return the class that ``name_of`` named."""
    found: type[Any] = resolve_name(name)
    return found


def name_of(adapter: type[Any]) -> str:
    """Return ``module:Class``."""
    return f"{adapter.__module__}:{adapter.__qualname__}"


def breaks(
    requirement: str, instrument: Instrument, reason: str, *, twin: type[Any] | None = None
) -> Callable[[Adapter], Adapter]:
    """Say that the class must be failed by ``requirement``; its twin is its base class unless given.

    Where the base class has none of the methods that are graded, the reference is the twin.
    """

    def register(adapter: Adapter) -> Adapter:
        MUTANTS.append(
            Mutant(
                name=adapter.__name__,
                requirement=requirement,
                instrument=instrument,
                adapter=name_of(adapter),
                twin=name_of(twin or _correct(adapter.__bases__, requirement)),
                reason=reason,
                does=(adapter.__doc__ or "").strip().partition("\n")[0].removesuffix("."),
            )
        )
        return adapter

    return register


def twin(*, detail: bool = False, **short_of: str) -> Callable[[Adapter], Adapter]:
    """Say that the class keeps the contract; keywords (``SCH_08="why"``) name the SHOULDs that it does not reach."""

    def register(adapter: Adapter) -> Adapter:
        short = tuple((name.replace("_", "-"), why) for name, why in short_of.items())
        TWINS.append(Twin(adapter=name_of(adapter), short_of=short, detail=detail))
        return adapter

    return register


def _correct(bases: Iterable[type[Any]], requirement: str) -> type[Any]:
    graded = (base for base in bases if Subject(base.__name__, base).graded(REQUIREMENTS[requirement]))
    return next(graded, Reference)
