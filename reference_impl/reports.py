"""What a validation found, check by check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; ``requirement`` is the id of the contract it belongs to."""

    requirement: str
    name: str
    ok: bool
    detail: str = ""

    def __str__(self) -> str:
        verdict = "ok  " if self.ok else "FAIL"
        return f"{verdict} {self.requirement} {self.name}" + (f": {self.detail}" if self.detail else "")


@dataclass(frozen=True, slots=True)
class ValidationReport:
    """All that was looked at; ``ok`` if nothing is wrong."""

    path: Path
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether every check is ok; a report without checks is not."""
        return bool(self.checks) and all(check.ok for check in self.checks)

    def __str__(self) -> str:
        verdict = "valid" if self.ok else "NOT valid"
        return "\n".join([f"{self.path}: {verdict}", *(f"  {check}" for check in self.checks)])
