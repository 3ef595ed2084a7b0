"""The ways of claiming that are the team's own, as scenarios use them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_taskq.contract import SchedulingStrategy
    from pytest_taskq.interleaving.scenario import Player
    from pytest_taskq.subject import Subject

CLAIMS = ("claim_task", "claim_by")
LEASE = 60.0


@dataclass(frozen=True)
class Way:
    """``claim_task``, or ``claim_by`` under one strategy."""

    strategy: SchedulingStrategy | None = None

    @property
    def method(self) -> str:
        """The method that is called."""
        return "claim_task" if self.strategy is None else "claim_by"

    @property
    def word(self) -> str:
        """Its name in that of a scenario."""
        return "claim" if self.strategy is None else self.strategy.value.replace("_", "-")

    def script(self, worker: str, lease: float = LEASE) -> Callable[[Player], Any]:
        """Return the script of a worker that claims once in this way."""
        chosen = () if self.strategy is None else (self.strategy,)
        return lambda player: player(self.method, *chosen, worker, {}, lease)


def own_ways(subject: Subject, *, all_strategies: bool = False) -> list[Way]:
    """Return the team's ways of claiming: ``claim_task``, and ``claim_by`` under one promised strategy, or all."""
    ways = [Way()] if "claim_task" in subject.own and subject.offers("claim_task") else []
    if "claim_by" in subject.own and subject.offers("claim_by"):
        strategies = sorted(subject.promises.strategies)
        ways += [Way(strategy) for strategy in (strategies if all_strategies else strategies[:1])]
    return ways


def a_way(subject: Subject) -> Way:
    """Return the team's way of claiming, or the reference's where claiming is not theirs."""
    return (own_ways(subject) or [Way()])[0]
