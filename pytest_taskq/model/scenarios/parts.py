"""What many programs begin with, or come to in their midst."""

from __future__ import annotations

from pytest_taskq.model.calls import Call, ClaimNext, Enqueue, PassUntil, Program, Reclaim

OVER: tuple[PassUntil, Reclaim] = (PassUntil(what="lease"), Reclaim())
LOST_TO_SELF: Program = (Enqueue(), ClaimNext(), *OVER, ClaimNext())
LOST_TO_OTHER: Program = (Enqueue(), ClaimNext(), *OVER, ClaimNext(worker="w2"))
LOST_TO_NOBODY: Program = (Enqueue(), ClaimNext(), *OVER)
STALE = (LOST_TO_NOBODY, LOST_TO_OTHER, LOST_TO_SELF)
THREE = (Enqueue(payload=1), Enqueue(payload=2), Enqueue(payload=3))


def repeated(times: int, *calls: Call) -> Program:
    """Return the calls, made so many times one after the other."""
    return calls * times
