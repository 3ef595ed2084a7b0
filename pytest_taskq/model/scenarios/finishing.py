"""Programs about the ends of an attempt (FIN)."""

from __future__ import annotations

from pytest_taskq.model.calls import (
    Cancel,
    ClaimNext,
    Complete,
    DeleteFinished,
    Enqueue,
    Fail,
    Get,
    Pass,
    PassUntil,
    Program,
    Reclaim,
)
from pytest_taskq.model.scenarios.parts import LOST_TO_NOBODY, LOST_TO_SELF, OVER, STALE, THREE, repeated
from pytest_taskq.model.scenarios.values import ODD_ERRORS


def _failing(times: int) -> Program:
    return (Enqueue(max_attempts=times + 1), *repeated(times, ClaimNext(), Fail(), PassUntil(what="due")))


SCENARIOS: dict[str, tuple[Program, ...]] = {
    "FIN-01": (
        (Enqueue(), ClaimNext(), Complete(), ClaimNext(), *OVER, ClaimNext()),
        (
            *THREE,
            ClaimNext(),
            ClaimNext(),
            Complete(claim=1),
            Complete(),
            ClaimNext(),
            Pass(seconds=20),
            Reclaim(),
            ClaimNext(),
        ),
    ),
    "FIN-02": (
        *((*stale, Complete(claim=0 if stale is LOST_TO_NOBODY else 1), ClaimNext()) for stale in STALE),
        *((*stale, Fail(claim=0 if stale is LOST_TO_NOBODY else 1), ClaimNext()) for stale in STALE),
        *((*stale, Fail(claim=0 if stale is LOST_TO_NOBODY else 1, retry=False)) for stale in STALE),
        (Enqueue(), ClaimNext(), Complete(worker="w2"), Fail(worker="w2"), Complete()),
        (Enqueue(), ClaimNext(), PassUntil(what="lease"), Complete()),
        (Enqueue(), ClaimNext(), PassUntil(what="lease"), Fail()),
        (*LOST_TO_SELF, Complete(claim=1), Complete(claim=0)),
    ),
    "FIN-03": (
        (Enqueue(), ClaimNext(), Complete(), Complete(), Fail(), Fail(retry=False)),
        (Enqueue(), ClaimNext(), Fail(), Complete(), Fail(), PassUntil(what="due"), Complete(), ClaimNext()),
        (Enqueue(), ClaimNext(), Fail(retry=False), Complete(), Fail()),
        (Enqueue(), ClaimNext(), Complete(), Pass(steps=2), DeleteFinished(), Complete(), Fail()),
        (*LOST_TO_NOBODY, Cancel(), Complete(), Fail()),
    ),
    "FIN-04": (
        (Enqueue(), ClaimNext(), Fail(), ClaimNext(), PassUntil(what="due"), ClaimNext(), Complete()),
        (Enqueue(), ClaimNext(), Fail(retry=False), ClaimNext(), Pass(seconds=400), ClaimNext()),
        (Enqueue(max_attempts=1), ClaimNext(), Fail(), ClaimNext()),
        (
            Enqueue(max_attempts=2),
            ClaimNext(),
            Fail(error="first"),
            PassUntil(what="due"),
            ClaimNext(),
            Fail(error="second"),
            Get(),
        ),
        (
            Enqueue(),
            *repeated(4, ClaimNext(), Fail(), PassUntil(what="due", offset=-1), ClaimNext(), PassUntil(what="due")),
        ),
    ),
    "FIN-05": (
        _failing(4),
        _failing(70),
        (
            Enqueue(),
            *repeated(
                3,
                ClaimNext(),
                Fail(),
                ClaimNext(),
                PassUntil(what="due", offset=-1),
                ClaimNext(),
                PassUntil(what="due"),
            ),
            ClaimNext(),
        ),
    ),
    "FIN-08": tuple(
        (
            Enqueue(),
            ClaimNext(),
            Fail(error=error),
            ClaimNext(),
            PassUntil(what="due"),
            ClaimNext(),
            Fail(error=error, retry=False),
        )
        for error in ODD_ERRORS
        if error
    ),
    "FIN-09": (
        (
            Enqueue(max_attempts=1),
            ClaimNext(),
            Fail(error="last words"),
            ClaimNext(),
            Pass(seconds=400),
            Reclaim(),
            ClaimNext(),
        ),
        (
            Enqueue(max_attempts=2),
            ClaimNext(),
            Fail(error="first"),
            PassUntil(what="due"),
            ClaimNext(),
            *OVER,
            ClaimNext(),
        ),
        (Enqueue(), ClaimNext(), Fail(error="give up", retry=False), ClaimNext(), Cancel(), ClaimNext()),
        (Enqueue(max_attempts=1), ClaimNext(), *OVER, Pass(seconds=20), Reclaim(), ClaimNext()),
    ),
}
