"""Two frames of stored times: the kit's, around a virtual moment that stands still, and the code's, around real time.

While code runs that asks the server's own clock, real time goes on, and a lease that is over in a millisecond of
virtual time would be over in the middle of a call. So a gap is opened in the code's frame: what lies after the virtual
moment moves to behind the gap, and real time stays within it unless the call is long. Every comparison of a stored time
with the clock then comes out as it does at the virtual moment itself. What lay behind the gap is remembered, so that it
comes back exactly, and what was written meanwhile is told from it. The gap is as short as may be, because code that is
early by less than it is not found out.

Moments are whole microseconds since 1970-01-01 00:00 UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

SECOND = 1_000_000
# Nearly all calls are shorter, on a busy machine too. The odd microseconds keep whole milliseconds of the code's own
# from being taken for something that was moved.
GAP = 250_317
# What the contract's times are multiples of: leases, delays, and the bounds of a backoff.
GRAIN = 50_000
ROUND = (SECOND, 500_000, 250_000, 100_000, GRAIN)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Frame:
    """How moments of the kit's frame are shown to the code, and how they come back.

    The virtual moment ``shown`` is ``base`` to the code, which is told the server's time from ``began`` on. Moments of
    the kit's frame from ``limit`` on lie behind the gap; ``far`` is where those went that were there.
    """

    shown: int
    base: int
    began: int
    limit: int
    far: frozenset[int] = frozenset()

    @classmethod
    def at(cls, shown: int, real: int, *, older: float | None = None, begun: int = 0, far: Iterable[int] = ()) -> Frame:
        """Return the frame in which the server's time ``real`` and all after it is ``shown``.

        ``older``: what the code asks is what lies more than so many seconds in the past, so the gap is there.
        ``begun``: its transaction may have begun up to so many microseconds ago. ``far``: the moments from the limit
        on that are stored, or more.
        """
        real -= begun
        base = real - real % 1000
        if (base - shown) % SECOND == 0:  # whole seconds stay whole seconds: a value that is cut could not be told
            base -= 1000
        limit = shown + 1 if older is None else shown - round(older * SECOND)
        frame = cls(shown=shown, base=base, began=real, limit=limit)
        return replace(frame, far=frozenset(frame.for_code(one) for one in far if one >= limit))

    @property
    def moved(self) -> int:
        """What is added to moments before the limit."""
        return self.base - self.shown

    @property
    def edge(self) -> int:
        """Where the gap begins, in the code's frame."""
        return self.limit + self.moved

    def for_code(self, moment: int) -> int:
        """Return a moment of the kit's as the code is to see it."""
        return moment + self.moved + (GAP if moment >= self.limit else 0)

    def is_written(self, moment: int) -> bool:
        """Whether the code has written it: nothing was moved to where it lies."""
        return moment >= self.edge and moment not in self.far

    def is_crossed(self, ended: int) -> bool:
        """Whether a call that was over by ``ended`` may have seen something in the past that lies in the future."""
        return any(one + self.shown - self.limit < ended for one in self.far)

    def for_kit(self, moment: int, ended: int, beside: Iterable[int] = ()) -> int:
        """Return a moment of the code's, whose call was over by ``ended``, as the kit is to see it.

        ``beside`` are the times of the same row: one that lies within the call may be when the row was written.
        """
        if self.is_written(moment):
            known = self._since_written(moment, ended, beside)
            return self.shown + (after_call(moment - ended, moment - self.began) if known is None else known)
        return moment - self.moved - (GAP if moment in self.far else 0)

    def _since_written(self, moment: int, ended: int, beside: Iterable[int]) -> int | None:
        """Return how long after its row was written a moment lies; None if the row does not say."""
        since = ((moment - at, at) for at in (*beside, moment) if self.began <= at <= ended)
        return min((length for length, at in since if _is_meant(length, at)), key=_roundness, default=None)

    def is_vague(self, ended: int, row: Collection[int]) -> bool:
        """Whether a written time of the row cannot be told exactly: the call was long, and the row says not when."""
        if ended - self.began < GRAIN:
            return False
        return any(self.is_written(one) and self._since_written(one, ended, row) is None for one in row)


def _is_meant(length: int, at: int) -> bool:
    """Whether so long after a moment is what somebody meant, and not chance: two clocks differ by anything.

    Microseconds that are the same, and not those of a clock of milliseconds, are the same reading of one clock.
    """
    return not length % GRAIN or bool(not length % 1000 and at % 1000)


def _roundness(length: int) -> tuple[int, int]:
    return next((number for number, unit in enumerate(ROUND) if not length % unit), len(ROUND)), length


def after_call(least: int, most: int) -> int:
    """Return how long after it was written a moment lies, between ``least`` and ``most`` microseconds.

    It is the roundest value that is possible, ``most`` if none is round: exact for multiples of GRAIN if the call was
    shorter, and any other is late by less than it lasted.
    """
    for unit in ROUND:
        first = -(-least // unit) * unit
        if first <= most:
            return first
    return most


def microseconds(moment: datetime) -> int:
    """Return a moment; one without a time zone is taken for UTC."""
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND


def moment_at(microseconds: int) -> datetime:
    """Return the moment as a ``datetime`` in UTC. Raises OverflowError beyond the year 9999."""
    return _EPOCH + timedelta(microseconds=microseconds)
