"""One thing that the doctor looked at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How it stands."""

    OK = "ok"
    NOTE = "note"  # works, and is worth knowing
    WRONG = "WRONG"


@dataclass(frozen=True, slots=True)
class Sign:
    """What was looked at, how it stands, what was found, and what to do about it."""

    area: str
    state: State
    found: str
    cure: str = ""

    @classmethod
    def ok(cls, area: str, found: str) -> Sign:
        """Return a sign that all is well."""
        return cls(area, State.OK, found)
