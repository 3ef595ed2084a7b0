"""Programs about leases that last, are renewed and are lost (LSE)."""

from __future__ import annotations

from pytest_taskq.model.calls import ClaimNext, Complete, Enqueue, Fail, Pass, PassUntil, Program, Reclaim, Renew
from pytest_taskq.model.scenarios.parts import LOST_TO_NOBODY, OVER, STALE

SCENARIOS: dict[str, tuple[Program, ...]] = {
    "LSE-01": (
        (
            Enqueue(),
            ClaimNext(),
            PassUntil(what="lease", offset=-1),
            ClaimNext(worker="w2"),
            Reclaim(),
            Pass(),
            Reclaim(),
            ClaimNext(worker="w2"),
        ),
        (
            Enqueue(),
            ClaimNext(lease=2),
            ClaimNext(),
            PassUntil(what="lease"),
            ClaimNext(worker="w2"),
            Reclaim(),
            ClaimNext(),
        ),
        (
            Enqueue(),
            Enqueue(),
            ClaimNext(lease=3),
            ClaimNext(lease=9),
            *OVER,
            ClaimNext(worker="w3"),
            ClaimNext(worker="w3"),
        ),
        (
            Enqueue(),
            ClaimNext(),
            Pass(steps=5),
            Renew(),
            PassUntil(what="lease", offset=-1),
            ClaimNext(worker="w2"),
            Pass(),
            Reclaim(),
            ClaimNext(),
        ),
    ),
    "LSE-02": (
        (
            Enqueue(),
            ClaimNext(),
            Pass(steps=3),
            Renew(),
            PassUntil(what="lease", offset=-1),
            ClaimNext(),
            Reclaim(),
            Pass(),
            Reclaim(),
            ClaimNext(),
        ),
        (Enqueue(), ClaimNext(lease=30), Renew(lease=2), PassUntil(what="lease"), Reclaim(), ClaimNext(worker="w2")),
        (Enqueue(), ClaimNext(), Renew(lease=20), Renew(lease=5), Complete()),
    ),
    "LSE-03": (
        (Enqueue(), ClaimNext(), Renew(worker="w2"), Renew(worker="w2", lease=99)),
        *((*stale, Renew(claim=0 if stale is LOST_TO_NOBODY else 1, lease=99)) for stale in STALE),
        (Enqueue(), ClaimNext(), Complete(), Renew(lease=99)),
        (Enqueue(), ClaimNext(), Fail(), Renew(lease=99), PassUntil(what="due"), ClaimNext()),
        (Enqueue(), ClaimNext(), Fail(retry=False), Renew(lease=99)),
    ),
}
