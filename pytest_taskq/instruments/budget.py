"""How much is explored; never what a verdict means."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Literal

Effort = Literal["smoke", "pr", "soak"]
EFFORTS: tuple[Effort, ...] = ("smoke", "pr", "soak")


@dataclass(frozen=True, slots=True)
class Budget:
    """The effort of the run and its seed."""

    effort: Effort = "pr"
    seed: int = 0

    @property
    def examples(self) -> int:
        """Generated programs per requirement."""
        return {"smoke": 5, "pr": 40, "soak": 2_000}[self.effort]

    @property
    def calls(self) -> int:
        """Longest generated program."""
        return {"smoke": 12, "pr": 25, "soak": 50}[self.effort]

    @property
    def backlog(self) -> int:
        """Largest number of queued tasks."""
        return {"smoke": 5_000, "pr": 100_000, "soak": 100_000}[self.effort]

    def seed_for(self, requirement: str) -> int:
        """Return a seed of its own for each requirement; the same run seed always gives the same."""
        return zlib.crc32(f"{self.seed}:{requirement}".encode())
