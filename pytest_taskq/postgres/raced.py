"""Time in a schedule of code that asks the server's own clock: it goes on, and rows stay in the code's frame.

Rows cannot be moved while transactions hold them, so a whole run of several calls is one frame: it begins at the
virtual moment, and what passes meanwhile is real. That is exact enough as long as nothing stored becomes due by it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_taskq.postgres.frame import SECOND
from pytest_taskq.postgres.retimed import retimed
from pytest_taskq.subject.store import TimedCall
from pytest_taskq.subject.violation import InexactTimeError, UnsupportedError

if TYPE_CHECKING:
    from pytest_taskq.clock import VirtualClock
    from pytest_taskq.postgres.frame import Frame

# Of real time, and of the sleeps that are made without it. A lease that a scenario takes in a run lasts for a minute,
# and whether one from before it is met is looked at.
LONGEST = 20 * SECOND

# As drivers, texts and Python show them; numbers as long as that count seconds, or parts of one, since 1970.
_TIMES = re.compile(
    r"(?:datetime\.)?(?:datetime|date|time|timedelta)\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)"
    r"|\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?"
    r"|\b\d{10,19}(?:\.\d+)?\b"
)


def untimed(text: str) -> str:
    """Return what happened with an ellipsis for each time: those are others in each run."""
    return _TIMES.sub("…", text)


@dataclass(frozen=True)
class Race:
    """One run of several calls that overlap, in one frame."""

    frame: Frame
    clock: VirtualClock
    moment: int  # virtual milliseconds at its beginning

    def call(self) -> RacedCall:
        """Return the context of one of its calls."""
        return RacedCall(self)

    def require_quick(self, ended: int) -> None:
        """Raise InexactTimeError if real time went so far that it could matter, UnsupportedError if sleeps did."""
        slept = (self.clock.milliseconds - self.moment) * 1000
        if slept > LONGEST or (slept and self.frame.is_crossed(self.frame.began + slept)):
            raise UnsupportedError(
                f"workers slept for {slept / SECOND:g} s, and where stored times are shifted the server's clock cannot "
                "be moved by that while transactions hold rows"
            )
        lasted = ended - self.frame.began
        if lasted > LONGEST or self.frame.is_crossed(ended):
            raise InexactTimeError(
                f"a run of one schedule took {lasted / SECOND:.3f} s: where stored times are shifted, one may have "
                "become due meanwhile; run it on a quieter machine"
            )


class RacedCall(TimedCall):
    """One call among others: tasks go to the code, and come back, with the times of its frame and the kit's."""

    def __init__(self, race: Race) -> None:
        self._race = race

    def given(self, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the arguments with the times of tasks as they are in the rows."""
        return tuple(retimed(one, self._race.frame.for_code) for one in arguments)

    def seen(self, result: Any) -> Any:  # noqa: ANN401 - any result
        """Return the result with the times of tasks as the kit has them, told as well as the run was short."""
        ended = (self._race.clock.reading() + 1) * 1000
        return retimed(result, lambda moment: self._race.frame.for_kit(moment, ended), cut=True)
