"""What a validation found, check by check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# The eight things that are looked at, under the requirement of the contract that each belongs to.
AREAS = {
    "INF-01": "configuration",
    "INF-02": "connection",
    "INF-03": "schema",
    "INF-04": "settings",
    "INF-05": "data models",
    "INF-06": "transactions",
    "INF-07": "indexes",
    "INF-08": "errors",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; ``requirement`` is the id of the contract it belongs to.

    ``judged`` False: it could not be looked at, ``detail`` says why, and ``ok`` says nothing.
    """

    requirement: str
    name: str
    ok: bool
    detail: str = ""
    judged: bool = True

    @classmethod
    def not_judged(cls, requirement: str, name: str, why: str) -> Check:
        """Return the check that could not be made."""
        return cls(requirement, name, ok=True, detail=why, judged=False)

    @property
    def area(self) -> str:
        """What it is about, in a word."""
        return AREAS.get(self.requirement, "worker")

    @property
    def verdict(self) -> str:
        """One word for it."""
        if not self.judged:
            return "not checked"
        return "ok" if self.ok else "WRONG"

    def __str__(self) -> str:
        head = f"{self.verdict:<11} {self.requirement} {self.area:<13} {self.name}"
        return head + (f": {self.detail}" if self.detail else "")


@dataclass(frozen=True, slots=True)
class ValidationReport:
    """All that was looked at; ``ok`` if nothing is wrong, and true in a condition then.

    ``place`` is the file or the DSN without its password; ``obstacle`` says why nothing could be looked at.
    """

    place: str
    checks: tuple[Check, ...] = ()
    obstacle: str = ""

    @property
    def ok(self) -> bool:
        """Whether every check that was made is ok; a report without any is not."""
        return not self.obstacle and any(one.judged for one in self.checks) and all(one.ok for one in self.checks)

    def __bool__(self) -> bool:
        return self.ok

    @property
    def exit_code(self) -> int:
        """0 valid, 1 not valid, 2 could not be looked at."""
        if self.obstacle:
            return 2
        return 0 if self.ok else 1

    @property
    def verdict(self) -> str:
        """What it comes to."""
        return ("valid", "NOT valid", "could not be checked")[self.exit_code]

    def as_plain(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "place": self.place,
            "verdict": self.verdict,
            "ok": self.ok,
            "obstacle": self.obstacle,
            "checks": [
                {
                    "requirement": one.requirement,
                    "area": one.area,
                    "name": one.name,
                    "verdict": one.verdict,
                    "detail": one.detail,
                }
                for one in self.checks
            ],
        }

    def __str__(self) -> str:
        head = f"{self.place}: {self.verdict}"
        return "\n".join([f"{head}: {self.obstacle}" if self.obstacle else head, *(f"  {one}" for one in self.checks)])
