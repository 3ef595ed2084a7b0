"""Programs about who is given what (CLM)."""

from __future__ import annotations

from pytest_taskq.model.calls import (
    Cancel,
    ClaimNext,
    Complete,
    Enqueue,
    Fail,
    Pass,
    PassUntil,
    Program,
    Reclaim,
    Stats,
)
from pytest_taskq.model.scenarios.parts import OVER, THREE, repeated
from pytest_taskq.model.scenarios.values import ABLE, BAD_ROWS, COMPATIBLE, INCOMPATIBLE

SCENARIOS: dict[str, tuple[Program, ...]] = {
    "CLM-01": (
        (ClaimNext(), Enqueue(), ClaimNext(), ClaimNext()),
        (*THREE, ClaimNext(), Complete(), ClaimNext(), Cancel(task=2), ClaimNext()),
        (Enqueue(delay=3), Enqueue(compatibility={"gpu": True}), Enqueue(), ClaimNext(), ClaimNext()),
        (Enqueue(max_attempts=1), ClaimNext(), Fail(), ClaimNext(), Pass(seconds=400), ClaimNext()),
        (Enqueue(), ClaimNext(), Fail(retry=False), ClaimNext(), Pass(seconds=400), ClaimNext()),
    ),
    "CLM-05": (
        (Enqueue(max_attempts=2), ClaimNext(), *OVER, ClaimNext(), *OVER, ClaimNext(), Stats()),
        (
            Enqueue(max_attempts=2),
            *repeated(2, ClaimNext(), PassUntil(what="lease")),
            ClaimNext(),
            Reclaim(),
            ClaimNext(),
        ),
        (Enqueue(max_attempts=2), ClaimNext(), Fail(), PassUntil(what="due"), ClaimNext(), Fail(), ClaimNext()),
        (Enqueue(max_attempts=1), ClaimNext(), *OVER, ClaimNext()),
        (
            Enqueue(max_attempts=3),
            ClaimNext(),
            *OVER,
            ClaimNext(),
            Fail(),
            PassUntil(what="due"),
            ClaimNext(),
            *OVER,
            ClaimNext(),
        ),
    ),
    "CLM-07": (
        *((Enqueue(compatibility=able), ClaimNext(), ClaimNext(capabilities=ABLE)) for able in COMPATIBLE),
        *(
            (Enqueue(compatibility=unable), Enqueue(), ClaimNext(capabilities=ABLE), ClaimNext(capabilities=ABLE))
            for unable in INCOMPATIBLE
        ),
        (*(Enqueue(compatibility={"gpu": True}) for _ in range(30)), Enqueue(), ClaimNext(), ClaimNext()),
        (
            Enqueue(compatibility={"gpu": True, "memory": 9}),
            ClaimNext(capabilities=ABLE),
            ClaimNext(capabilities={**ABLE, "memory": 9}),
        ),
    ),
    "CLM-11": tuple((row, Enqueue(), ClaimNext(), ClaimNext(), ClaimNext(), Stats()) for row in BAD_ROWS),
    "CLM-12": (
        (*THREE, ClaimNext(n=2), ClaimNext(n=5), ClaimNext(n=1)),
        (
            *THREE,
            Enqueue(delay=5),
            Enqueue(compatibility={"gpu": True}),
            ClaimNext(n=10),
            PassUntil(what="due"),
            ClaimNext(n=1),
        ),
        (*THREE, ClaimNext(n=1), PassUntil(what="lease"), Reclaim(), ClaimNext(n=3), Complete()),
        *((Enqueue(), row, Enqueue(), ClaimNext(n=2), ClaimNext(n=2), ClaimNext(n=2)) for row in BAD_ROWS[:4]),
    ),
}
