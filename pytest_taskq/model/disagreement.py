"""Where the code under test and the model part ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Disagreement:
    """What the contract allows and what was seen; ``breaks`` names the requirements that forbid it."""

    breaks: frozenset[str]
    expected: str
    seen: str


class Outcome(Protocol):
    """What a call came to."""

    @property
    def result(self) -> Any:  # noqa: ANN401 - any method's result
        """What it returned."""
        ...

    @property
    def error(self) -> Exception | None:
        """What it raised, None if it returned."""
        ...


def breaks(*requirements: str) -> frozenset[str]:
    """Return the ids as a set."""
    return frozenset(requirements)


def raised(outcome: Outcome, expected: str, ids: frozenset[str]) -> Disagreement:
    """Return the disagreement that a call raised where the contract has an answer."""
    error = outcome.error
    return Disagreement(ids, expected, f"it raised {type(error).__name__}: {error!s:.300}")
