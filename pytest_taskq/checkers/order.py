"""First in, first out by real time: nothing that certainly came later was certainly served earlier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq.history import NEVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_taskq.checkers.stays import Stay


def overtaken(stays: Sequence[Stay]) -> tuple[Stay, Stay] | None:
    """Return (waiting, overtaking): the one entered before the other did and was there until after it was served.

    None if there is no such pair. For tasks handed out once that, with no phantom, no double and no wrong empty claim,
    is linearizability as a first-in-first-out queue (Henzinger, Sezgin, Vafeiadis, CONCUR 2013). O(n log n).
    """
    by_entry = sorted(stays, key=lambda one: one.er)
    count, passed = len(by_entry), 0
    latest = -NEVER
    waiting: Stay | None = None
    for one in sorted(stays, key=lambda each: each.ec):
        entered = one.ec
        while passed < count and by_entry[passed].er < entered:
            before = by_entry[passed]
            passed += 1
            if before.cc > latest:
                latest, waiting = before.cc, before
        if one.cr < latest and one.served and waiting is not None:
            return waiting, one
    return None
