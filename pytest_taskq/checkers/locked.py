"""SKIP LOCKED: a claim that ends badly hid one task for as long as it ran."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

from pytest_taskq.history import NEVER

if TYPE_CHECKING:
    from pytest_taskq.checkers.stays import Traffic


def without_those_beside_a_lock(traffic: Traffic, *, for_ever: bool = False) -> Traffic:
    """Return the traffic without the claims that a hidden task may excuse: those that overlap a failed one.

    Their tasks still count as there until they left, but whether they left in turn is not judged. Nothing legal is
    failed by that; what is missed is a wrong order in the same moment as a failure. ``for_ever``: a failed claim hides
    from its call on, without end.
    """
    spans = sorted((one.call, NEVER if for_ever or one.returned is None else one.returned) for one in traffic.unknown)
    begins = [begin for begin, _ in spans]
    latest = list(accumulate((end for _, end in spans), max))

    def hidden(begin: int, end: int) -> bool:
        number = bisect_right(begins, end)
        return number > 0 and latest[number - 1] >= begin

    stays = [one._replace(served=False) if hidden(one.cc, one.cr) else one for one in traffic.stays]
    empties = [one for one in traffic.empties if not hidden(one.call, one.end)]
    return replace(traffic, stays=stays, empties=empties)
