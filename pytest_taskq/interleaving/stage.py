"""What the scheduler and the statement hook share of one run: the actors, the moment, what happened so far."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any

from pytest_taskq.interleaving.actor import Actor, Interner, was_left
from pytest_taskq.interleaving.baton import Baton
from pytest_taskq.interleaving.events import Event, Played

if TYPE_CHECKING:
    from collections.abc import Hashable

    from pytest_taskq.clock import VirtualClock
    from pytest_taskq.interleaving.site import Site

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


class Stage:
    """One run of ``count`` actors; ``running`` is the one that holds the baton.

    It is ``opaque`` where no state is known to be equal to another.
    """

    def __init__(self, count: int, site: Site, clock: VirtualClock, interner: Interner, limit: float) -> None:
        self.clock = clock
        self.site = site
        self.content = site.content
        self.opaque = site.opaque
        self.connections = 0
        self.played = Played()
        self.baton = Baton(limit, site.watch)
        self.actors = [Actor(self.baton, index, site.driver) for index in range(count)]
        self.running: Actor | None = None
        self.moment: Hashable = None  # the state that the step begins in
        self._interner = interner if not site.opaque else Interner()  # equal ones are not asked for over many runs
        self._place = site.place
        # The scheduler, whoever watches it, and the program's own threads are no actor's.
        self._others = set(threading.enumerate())

    def actor_here(self, connection: object = None) -> Actor | None:
        """Return the actor that this thread works for; threads that its code started work for it too."""
        # Garbage of earlier runs (a coroutine that died, say) may be collected in any step, and is no act of an actor.
        if connection is not None and was_left(connection):
            return None
        here = threading.current_thread()  # not its number, which is given again when a thread has ended
        own = next((actor for actor in self.actors if actor.thread is here), None)
        return self.running if own is None and here not in self._others else own

    def log(self, actor: Actor, kind: Any, text: str) -> Event:  # noqa: ANN401 - a literal of Event's
        """Add an event of an actor."""
        text = self.site.driver.steady(_ADDRESS.sub("", text.replace(self._place, "…")))
        event = Event(actor.index, kind, text, writing=actor.in_transaction(), at=self.clock.seconds)
        self.played.events.append(event)
        return event

    def number(self, value: Hashable) -> int:
        """Return the number of ``value``; those of unequal values differ."""
        return self._interner.number(value)

    def told(self, actor: Actor, what: Hashable) -> None:
        """Note what an actor's code was told: what it does next depends on nothing else."""
        actor.history = self._interner.number((actor.history, what, self.clock.milliseconds))

    def committed(self) -> int | None:
        """Return a number that stands for what is committed; None where that cannot be seen."""
        return None if self.content is None else self.content.number()

    def reach(self, seconds: float) -> None:
        """Move the clock to a moment, unless that is over."""
        self.clock.milliseconds = max(self.clock.milliseconds, round(seconds * 1000))
