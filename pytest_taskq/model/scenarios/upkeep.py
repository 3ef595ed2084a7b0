"""Programs about counting, taking back and deleting (OBS and MNT)."""

from __future__ import annotations

from pytest_taskq.model.calls import (
    Cancel,
    ClaimNext,
    Complete,
    DeleteFinished,
    Enqueue,
    Fail,
    Pass,
    PassUntil,
    Program,
    Reclaim,
    Renew,
    Stats,
)
from pytest_taskq.model.scenarios.parts import OVER, THREE

SCENARIOS: dict[str, tuple[Program, ...]] = {
    "OBS-01": (
        (Stats(), *THREE, Stats(), ClaimNext(), Stats(), Complete(), Stats(), ClaimNext(), Fail(), Stats()),
        (*THREE, ClaimNext(), Fail(retry=False), Cancel(task=2), Stats(), ClaimNext(), *OVER, Stats()),
        (
            Enqueue(delay=5),
            Stats(),
            Cancel(),
            Stats(),
            Enqueue(),
            ClaimNext(),
            Complete(),
            Pass(steps=2),
            DeleteFinished(),
            Stats(),
        ),
    ),
    "MNT-01": (
        (DeleteFinished(), *THREE, ClaimNext(), Complete(), DeleteFinished(), Pass(), DeleteFinished(), Stats()),
        (
            *THREE,
            ClaimNext(),
            Complete(),
            Pass(steps=5),
            ClaimNext(),
            Complete(),
            PassUntil(what="retention", older_than=10.0),
            DeleteFinished(older_than=10.0),
            Pass(),
            DeleteFinished(older_than=10.0),
        ),
        (
            *THREE,
            ClaimNext(),
            Fail(retry=False),
            Cancel(task=1),
            ClaimNext(),
            Pass(seconds=500),
            DeleteFinished(older_than=1.0),
            Stats(),
        ),
        (Enqueue(delay=5), Enqueue(), ClaimNext(), Pass(seconds=100), DeleteFinished(), ClaimNext(), ClaimNext()),
    ),
    "MNT-05": (
        (
            Reclaim(),
            *THREE,
            ClaimNext(lease=3),
            ClaimNext(lease=9),
            Reclaim(),
            PassUntil(what="lease", offset=-1),
            Reclaim(),
            Pass(),
            Reclaim(),
            Reclaim(),
            ClaimNext(),
        ),
        (Enqueue(max_attempts=1), Enqueue(), ClaimNext(), ClaimNext(), *OVER, Stats(), ClaimNext(), ClaimNext()),
        (*THREE, ClaimNext(), Complete(), ClaimNext(), Fail(), ClaimNext(), *OVER, Stats()),
        (Enqueue(), ClaimNext(), Pass(steps=5), Renew(lease=10), Pass(steps=5), Reclaim(), *OVER, ClaimNext()),
    ),
}
