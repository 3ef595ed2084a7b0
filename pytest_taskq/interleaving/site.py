"""What a kind of database brings to the exploring of schedules; there is one module for each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from pytest_taskq.interleaving.actor import Actor
    from pytest_taskq.interleaving.baton import Holder, Watch
    from pytest_taskq.interleaving.listening import Listener
    from pytest_taskq.interleaving.stage import Stage
    from pytest_taskq.interleaving.timeouts import Timeouts
    from pytest_taskq.statements import Statement
    from pytest_taskq.subject import QueueUnderTest

# What a statement is to the schedule: a step of its own, a part of the next one, or of no interest to anybody.
Part = Literal["step", "aside", "nothing"]


class Driver(Protocol):
    """What differs from one driver to the other in what is asked of connections and statements."""

    @property
    def name(self) -> str:
        """What it is called in reports."""
        ...

    def opened(self, connection: Any, actor: int) -> int:  # noqa: ANN401 - of any driver
        """Make a new connection of an actor repeat itself; return the id of its process on a server, 0 without."""
        ...

    def in_transaction(self, connection: Any) -> bool:  # noqa: ANN401 - of any driver
        """Whether a connection is inside a transaction; a closed one is not."""
        ...

    def close(self, connection: Any) -> None:  # noqa: ANN401 - of any driver
        """Close a connection that its owner left open, as the kernel does for a process."""
        ...

    def part(self, sql: str) -> Part:
        """Return what a statement is to the schedule."""
        ...

    def steady(self, text: str) -> str:
        """Return what is said of a call without what is another in each run."""
        ...

    def is_timeout(self, error: Exception) -> bool:
        """Whether a server ended the wait for a lock, because it was as long as the code had set."""
        ...

    def is_accountable(self, statement: Statement) -> bool:
        """Whether what it does depends on nothing but what is committed, and what was done and told before."""
        ...

    def seed(self, connection: Any, actor: int, step: int) -> None:  # noqa: ANN401 - of any driver
        """Let the chance of a step be that of the actor and the step, where it is not the process's own."""
        ...

    def end(self, backends: list[int]) -> None:
        """Return when nothing of closed connections is left; ``backends`` are their processes on a server."""
        ...


class Content(Protocol):
    """What is committed."""

    @property
    def largest_drop(self) -> int:
        """The most rows that left a table between two looks."""
        ...

    def number(self) -> int | None:
        """Return a number that is equal for equal contents; None where that cannot be said."""
        ...


class Site(Protocol):
    """Where one run takes place: a store with the prepared tasks, and the hooks on what reaches it."""

    @property
    def queue(self) -> QueueUnderTest:
        """The code under test, as one more worker."""
        ...

    @property
    def place(self) -> str:
        """What names the store; shown as an ellipsis, since it is another in each run."""
        ...

    @property
    def content(self) -> Content | None:
        """What tells equal contents; None where they cannot be read."""
        ...

    @property
    def driver(self) -> Driver:
        """What differs by driver."""
        ...

    @property
    def opaque(self) -> bool:
        """Whether no state is known to be equal to another."""
        ...

    @property
    def by_statement(self) -> bool:
        """Whether a transaction sees what is committed at each of its statements, and not at its first alone."""
        ...

    @property
    def timeouts(self) -> Timeouts | None:
        """The way to wait for locks by running the statement again, where there is no other."""
        ...

    @property
    def lets_go(self) -> bool:
        """Whether who waits outside may be let go on by the database itself."""
        ...

    def watch(self, holder: Holder) -> Watch:
        """Return what tells whether a thread that does not come back waits outside."""
        ...

    def blockers(self, holder: Holder) -> list[int]:
        """Return the actors whose locks a thread waits for on a server."""
        ...

    def has_only_read(self, actor: Actor) -> bool:
        """Whether what its open transaction has done so far changes nothing for anybody, itself included."""
        ...

    def begin_step(self) -> None:
        """Make ready for the next step, after the clock was moved."""
        ...

    def telling(self, listener: Listener) -> AbstractContextManager[None]:
        """Tell ``listener`` what the actors do, and let it decide about their waits."""
        ...

    def check_seen(self, stage: Stage) -> None:
        """Raise UnseenError if anything was done in a way that was not told."""
        ...


class Ground(Protocol):
    """Where all runs of a scenario take place."""

    def prepare(self, make: Callable[[QueueUnderTest], Any]) -> Any:  # noqa: ANN401 - what the scenario prepares
        """Return what ``make`` returns on a fresh store, and keep what is stored then."""
        ...

    def steady(self, text: str) -> str:
        """Return what is said of a run without what is another in each."""
        ...

    def site(self) -> AbstractContextManager[Site]:
        """Yield a store with what was kept, at the moment that it was kept."""
        ...
