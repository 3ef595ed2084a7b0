"""Every requirement of the contract, once; tests, docs, ``taskq explain`` and reports are views of it."""

from __future__ import annotations

from collections import Counter

from pytest_taskq.contract.methods import FEATURES, METHODS
from pytest_taskq.contract.requirement import LETTERS, Requirement
from pytest_taskq.contract.requirements import (
    claiming,
    client,
    durability,
    finishing,
    infrastructure,
    latency,
    leases,
    maintenance,
    observability,
    scheduling,
)
from pytest_taskq.contract.requirements.terms import TERMS

__all__ = ["FEATURES", "REQUIREMENTS", "SECTIONS", "TERMS", "by_instrument"]

# In the order of the contract.
SECTIONS: dict[str, tuple[Requirement, ...]] = {
    "Infrastructure": infrastructure.REQUIREMENTS,
    "Client": client.REQUIREMENTS,
    "Engine": (*claiming.REQUIREMENTS, *leases.REQUIREMENTS, *finishing.REQUIREMENTS),
    "Scheduling": scheduling.REQUIREMENTS,
    "Observability": observability.REQUIREMENTS,
    "Maintenance": maintenance.REQUIREMENTS,
    "Durability and faults": durability.REQUIREMENTS,
    "Latency and load": latency.REQUIREMENTS,
}


def _by_id(requirements: tuple[Requirement, ...]) -> dict[str, Requirement]:
    """Index by id; raises ValueError for an id given twice and for methods, features or letters that do not exist."""
    twice = [name for name, count in Counter(one.id for one in requirements).items() if count > 1]
    if twice:
        raise ValueError(f"a requirement id stands for one thing for ever, but {', '.join(twice)} stands for two")
    for one in requirements:
        unknown = {*one.grades} - {*METHODS} | {*one.needs} - {*FEATURES} | {*one.how} - {*LETTERS}
        if unknown:
            raise ValueError(f"{one.id} names {', '.join(sorted(unknown))}, which is no method, feature or instrument")
    return {one.id: one for one in requirements}


REQUIREMENTS: dict[str, Requirement] = _by_id(tuple(one for section in SECTIONS.values() for one in section))


def by_instrument(letter: str) -> tuple[Requirement, ...]:
    """Return what the instrument with this letter of the contract's table judges, in the contract's order."""
    if letter not in LETTERS:
        raise ValueError(f"no instrument has the letter {letter!r}; the letters are {', '.join(LETTERS)}")
    return tuple(one for one in REQUIREMENTS.values() if letter in one.how)
