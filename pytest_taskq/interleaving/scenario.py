"""A scenario: what is there before, what each actor does, and what must hold afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_taskq.interleaving.aftermath import Aftermath
    from pytest_taskq.subject import Outcome, QueueUnderTest


class Player:
    """What an actor's script sees: the queue under test, in the hands of one worker, every call of it recorded."""

    def __init__(self, queue: QueueUnderTest, prepared: Any, call: Callable[..., Outcome]) -> None:  # noqa: ANN401 - what the scenario prepared
        self.queue = queue
        self.prepared = prepared
        self._call = call

    def marked(self, sql: str) -> str:
        """Return SQL that has ``?`` for its parameters as the driver of the code under test writes it."""
        return sql.replace("?", self.queue.store.placeholder)

    def __call__(self, method: str, *arguments: Any, **keywords: Any) -> Any:  # noqa: ANN401 - any method's
        """Call a method and return its result; None if it raised, which is for the judge to see."""
        return self._call(self.queue, method, arguments, keywords).result


@dataclass(frozen=True, kw_only=True, eq=False)
class Scenario:
    """``prepare`` runs once and returns what the scripts need; ``scripts`` run together; ``judge`` raises on a breach.

    ``mortal`` names the actors that may die, one in a run; ``jump`` is how many seconds may pass, once in a run, at
    any moment. ``unhurried`` names the actors whose sleeps last until nobody else can go on. ``needs`` names the
    features without which there is no scenario; what is ``thorough`` is left out of the smallest effort. ``elsewhere``
    gives, for each back end on which it judges nothing, the reason. ``standing`` is explored in its place where no time
    can pass in a schedule.
    """

    name: str
    prepare: Callable[[QueueUnderTest], Any]
    scripts: Sequence[Callable[[Player], object]]
    judge: Callable[[Aftermath], None]
    mortal: Sequence[int] = ()
    jump: float = 0.0
    unhurried: Sequence[int] = ()
    needs: Sequence[str] = ()
    thorough: bool = False
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    standing: Scenario | None = None
