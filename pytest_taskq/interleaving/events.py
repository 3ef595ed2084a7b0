"""What happened in one run: statements, calls, deaths, time; read by judges and shown as columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from pytest_taskq.contract import details

if TYPE_CHECKING:
    from pytest_taskq.interleaving.search import Node
    from pytest_taskq.subject.queue import Outcome

NOBODY = details.NOBODY
EventKind = Literal["statement", "call", "return", "death", "time", "sleep", "aside"]
KINDS: tuple[EventKind, ...] = get_args(EventKind)


@dataclass(slots=True)
class Event:
    """One line of a run; ``notes`` grow until the actor's next event (rows, errors, who blocked it)."""

    actor: int
    kind: EventKind
    text: str
    notes: list[str] = field(default_factory=list)
    writing: bool = False  # inside a transaction that may write
    at: float = 0.0  # virtual seconds

    def __str__(self) -> str:
        return " ".join((self.text, *self.notes))


@dataclass(slots=True)
class Called:
    """A call of an actor: numbers of the events at which it began and ended, and the virtual seconds it took."""

    actor: int
    method: str
    arguments: tuple[Any, ...]
    began: int
    outcome: Outcome | None = None  # None while it runs, and if its actor died in it
    ended: int = -1
    seconds: float = 0.0
    since: float = 0.0  # the virtual moments at which it began and ended, in seconds
    until: float = 0.0

    @property
    def returned(self) -> Any:  # noqa: ANN401 - any method's result
        """What it returned; None also if it raised or never came back."""
        return None if self.outcome is None else self.outcome.result

    @property
    def error(self) -> Exception | None:
        """What it raised."""
        return None if self.outcome is None else self.outcome.error

    def __str__(self) -> str:
        name = letter(self.actor)
        if self.outcome is None:
            return f"{self.method} of {name}, which died in it"
        return f"{self.outcome.call} of {name} {arrow(self.outcome)}"


def letter(actor: int) -> str:
    """Return how an actor is called: a, b and so on."""
    return chr(ord("a") + actor)


def arrow(outcome: Outcome) -> str:
    """Return ``-> result``, or what was raised."""
    return str(outcome) if outcome.error else f"-> {outcome}"


@dataclass(slots=True)
class Played:
    """One run: what was chosen, what happened, and whether it went to its end."""

    nodes: list[Node] = field(default_factory=list)
    complete: bool = True
    events: list[Event] = field(default_factory=list)
    calls: list[Called] = field(default_factory=list)
    died: set[int] = field(default_factory=set)
    largest_drop: int = 0  # most rows that left a table between two moments of the run
    strayed: int | None = None  # the first step of the schedule that was not possible, from 0
    broken: Exception | None = None  # what a judge, or an actor's adapter, found
