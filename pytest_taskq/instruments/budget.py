"""How much is explored; never what a verdict means."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Literal

Effort = Literal["smoke", "pr", "soak"]
Latency = Literal["auto", "on", "off", "strict"]
EFFORTS: tuple[Effort, ...] = ("smoke", "pr", "soak")


@dataclass(frozen=True, slots=True)
class Budget:
    """The effort of the run and its seed; ``replay`` is the token of the one schedule to run, "" for all.

    ``latency`` is when calls are timed, ``beside`` the command that times them alone where other tests run beside this
    one, "" where it is alone.
    """

    effort: Effort = "pr"
    seed: int = 0
    replay: str = ""
    latency: Latency = "auto"
    beside: str = ""

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

    @property
    def claims(self) -> int:
        """Claims by weight that are held against their law."""
        return {"smoke": 1_500, "pr": 8_000, "soak": 80_000}[self.effort]

    @property
    def delays(self) -> int:
        """Delays after failures that are looked at."""
        return {"smoke": 100, "pr": 1_000, "soak": 20_000}[self.effort]

    @property
    def schedules(self) -> int:
        """Most runs of one scenario of interleavings."""
        return {"smoke": 150, "pr": 2_000, "soak": 50_000}[self.effort]

    @property
    def deviations(self) -> int | None:
        """Preemptions, deaths and jumps of time in one schedule, at most; None for as many as there can be."""
        return {"smoke": 1, "pr": None, "soak": None}[self.effort]

    @property
    def unmerged_deviations(self) -> int | None:
        """The same where no state is known to be equal to another, so that there are many times more runs."""
        return {"smoke": 1, "pr": 2, "soak": None}[self.effort]

    @property
    def samples(self) -> tuple[int, ...]:
        """How many times a call was timed when the series is judged, and may end; always as often, so errors agree."""
        full = {"smoke": 500, "pr": 1_000, "soak": 10_000}[self.effort]
        return (16, full, 2 * full, 4 * full)

    @property
    def seconds(self) -> float:
        """How long one call may be timed before the series ends as it is."""
        return {"smoke": 8.0, "pr": 20.0, "soak": 120.0}[self.effort]

    @property
    def deep(self) -> int:
        """The larger number of queued tasks that claims are timed at."""
        return {"smoke": 20_000, "pr": 100_000, "soak": 100_000}[self.effort]

    def seed_for(self, requirement: str) -> int:
        """Return a seed of its own for each requirement; the same run seed always gives the same."""
        return zlib.crc32(f"{self.seed}:{requirement}".encode())
