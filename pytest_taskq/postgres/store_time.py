"""The means by which the time of a schema is moved."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Protocol

from pytest_taskq.subject.store import TimedCall

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from pytest_taskq.clock import VirtualClock
    from pytest_taskq.postgres.clock import ShadowClock

_AS_IT_IS = TimedCall()


class StoreTime(Protocol):
    """What shows virtual moments to the kit's own SQL and to the code under test."""

    def show(self, milliseconds: int) -> None:
        """Show the kit's own SQL a moment."""
        ...

    def call_at(self, clock: VirtualClock, method: str, arguments: tuple[Any, ...]) -> TimedCall:
        """Return the context of one call of the code."""
        ...

    def show_real_time(self) -> None:
        """Show real time to everybody."""
        ...

    def written(self) -> int | None:
        """Return a number that changes when the code has committed a write; None if the rows themselves tell."""
        ...

    def held(self, milliseconds: int) -> AbstractContextManager[None]:
        """Return the context in which nothing but the code touches the rows, while that moment is shown."""
        ...

    def kit_wrote(self) -> None:
        """Bring into the kit's frame what defaults have made of rows of the kit's own."""
        ...

    def look_again(self) -> None:
        """Take nothing for known of what is shown: somebody else had the schema, or it was made fresh."""
        ...


class ShadowTime:
    """Moves what goes by the schema's own ``now()``; rows stay as they are."""

    def __init__(self, clock: ShadowClock) -> None:
        self._clock = clock
        self._shows: int | None = None

    def show(self, milliseconds: int) -> None:
        """Let ``now()`` show a moment."""
        if milliseconds != self._shows:
            self._clock.show(milliseconds)
            self._shows = milliseconds

    def call_at(self, clock: VirtualClock, method: str, arguments: tuple[Any, ...]) -> TimedCall:
        """Show the code the same as the kit."""
        del method, arguments
        self.show(clock.milliseconds)
        return _AS_IT_IS

    def show_real_time(self) -> None:
        """Let ``now()`` show the server's time."""
        self._clock.reset()
        self._shows = None

    def written(self) -> int | None:
        """Return None: only the code and the kit's own SQL write rows."""
        return None

    def held(self, milliseconds: int) -> AbstractContextManager[None]:
        """Show it; rows are never touched."""
        self.show(milliseconds)
        return nullcontext()

    def kit_wrote(self) -> None:
        """Do nothing: defaults go by the same ``now()``."""

    def look_again(self) -> None:
        """Show the next moment whatever was shown before."""
        self._shows = None
