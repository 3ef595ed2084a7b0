"""Every schedule, those with the fewest deviations first, none from a state that was gone on from before.

A **deviation** is a preemption (another actor runs although the running one could go on), a death, or time that
passes. Schedules with none come first, then with one, and so on: the first counterexample has the fewest, and when
the search stops early what it can claim is a whole level (iterative context bounding, Musuvathi and Qadeer, PLDI 2007).

States make it exhaustive: what can still happen depends on the state alone, so that a state seen before need not be
gone on from again. The actor that ran last is part of the state, since what counts as a preemption depends on it;
without that, "all with at most two" would leave some out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from pytest_taskq.interleaving.choices import Choice, Schedule


@dataclass(frozen=True, slots=True)
class Node:
    """A moment of a run at which something was chosen; ``costs`` counts the deviation of each option, 0 or 1."""

    options: tuple[Choice, ...]
    costs: tuple[int, ...]
    chosen: int

    @property
    def choice(self) -> Choice:
        """What was chosen."""
        return self.options[self.chosen]


class Played(Protocol):
    """One run of the actors; ``complete`` unless it was stopped in a state that was seen before."""

    @property
    def nodes(self) -> Sequence[Node]:
        """What was chosen, and what could have been."""
        ...

    @property
    def complete(self) -> bool:
        """Whether it went to its end."""
        ...


P = TypeVar("P", bound=Played)


class DivergedError(Exception):
    """A schedule that was possible before is not any more: the code is no function of what the database tells it."""


@dataclass
class Explored:
    """What a search came to."""

    complete: int = 0
    cut: int = 0
    deviations: int = -1  # every schedule with at most so many was run
    exhausted: bool = False
    states: int = 0

    @property
    def runs(self) -> int:
        """How many schedules were begun."""
        return self.complete + self.cut


@dataclass
class Search(Generic[P]):
    """``play(schedule, seen)`` runs a schedule, goes on without deviation, and stops when ``seen(state)`` says so."""

    play: Callable[[Schedule, Callable[[Hashable], bool]], P]
    most_runs: int
    most_deviations: int | None = None
    explored: Explored = field(default_factory=Explored)
    _states: set[Hashable] = field(default_factory=set)

    def __iter__(self) -> Iterator[P]:
        """Yield every run, until all are made or the budget is spent."""
        levels: list[list[Schedule]] = [[()]]
        while levels and (self.most_deviations is None or self.explored.deviations < self.most_deviations):
            waiting, *levels = levels
            while waiting:
                if self.explored.runs >= self.most_runs:
                    return
                schedule = waiting.pop()
                played = self.play(schedule, self._seen)
                self._count(played)
                yield played
                _branch(played.nodes, len(schedule), waiting, levels)
            self.explored.deviations += 1
        self.explored.exhausted = not levels

    def _seen(self, state: Hashable) -> bool:
        if state in self._states:
            return True
        self._states.add(state)
        return False

    def _count(self, played: Played) -> None:
        self.explored.complete += played.complete
        self.explored.cut += not played.complete
        self.explored.states = len(self._states)


def _branch(nodes: Sequence[Node], begun: int, same: list[Schedule], later: list[list[Schedule]]) -> None:
    """Put what was not chosen after the first ``begun`` choices where it belongs by its deviations."""
    chosen = tuple(node.choice for node in nodes)
    for place in range(begun, len(nodes)):
        node = nodes[place]
        for option, cost in zip(node.options, node.costs, strict=True):
            if option == node.choice:
                continue
            schedule = (*chosen[:place], option)
            if not cost:
                same.append(schedule)
                continue
            if not later:
                later.append([])
            later[0].append(schedule)
