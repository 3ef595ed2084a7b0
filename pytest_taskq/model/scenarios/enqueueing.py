"""Programs about what is stored: enqueue, cancel and get (INF-05 and ENQ)."""

from __future__ import annotations

from pytest_taskq.model.calls import (
    Cancel,
    ClaimNext,
    Complete,
    DeleteFinished,
    Enqueue,
    EnqueueMany,
    Fail,
    Get,
    Pass,
    PassUntil,
    Program,
    Stats,
)
from pytest_taskq.model.scenarios.parts import THREE
from pytest_taskq.model.scenarios.values import BAD_ROWS, ODD_TEXTS, PAYLOADS

SCENARIOS: dict[str, tuple[Program, ...]] = {
    "INF-05": (
        (Enqueue(payload=PAYLOADS[6], key="k", compatibility={"gpu": True}, priority=3), Get()),
        (Enqueue(payload={"n": 1}), Get(), ClaimNext(), Get(), Complete(), Get()),
        *((row, Enqueue(), Get(task=0), Get(task=1)) for row in BAD_ROWS),
    ),
    "ENQ-01": (
        (*THREE, ClaimNext(), ClaimNext(), ClaimNext(), ClaimNext()),
        (Enqueue(type="mail", payload={"to": "a"}, priority=7, max_attempts=2), Enqueue(), ClaimNext(), ClaimNext()),
        (Enqueue(priority=-(2**31), max_attempts=1), Enqueue(priority=2**31), ClaimNext(), ClaimNext()),
    ),
    "ENQ-02": tuple((Enqueue(payload=payload), Get(), ClaimNext()) for payload in PAYLOADS),
    "ENQ-04": (
        *(
            (
                Enqueue(),
                Enqueue(type=text, key=text, payload={"t": text}),
                Enqueue(type=text, key=text),
                ClaimNext(worker=text),
                ClaimNext(worker=text),
                Fail(worker="", error=text),
                Complete(claim=1, worker=""),
                Stats(),
            )
            for text in ODD_TEXTS
        ),
        *((Enqueue(key="order-1"), Enqueue(key=like), ClaimNext(), ClaimNext()) for like in ("%", "order-%", "*")),
    ),
    "ENQ-05": (
        (
            Enqueue(key="k", payload=1),
            Enqueue(key="k", payload=2),
            Enqueue(key="l"),
            ClaimNext(),
            ClaimNext(),
            ClaimNext(),
        ),
        (Enqueue(key="k"), ClaimNext(), Enqueue(key="k"), Complete(), Enqueue(key="k"), ClaimNext()),
        (Enqueue(key="k"), ClaimNext(), Complete(), Pass(steps=2), DeleteFinished(), Enqueue(key="k"), ClaimNext()),
        (Enqueue(key="k"), Cancel(), Enqueue(key="k"), ClaimNext()),
        (Enqueue(), Enqueue(), Enqueue(key="K"), Enqueue(key="k"), ClaimNext(), ClaimNext()),
    ),
    "ENQ-06": (
        (Enqueue(delay=5), ClaimNext(), PassUntil(what="due", offset=-1), ClaimNext(), Pass(), ClaimNext()),
        (Enqueue(delay=0.5), ClaimNext(), PassUntil(what="due"), ClaimNext()),
        (Enqueue(delay=86_400 * 400), Enqueue(), ClaimNext(), ClaimNext(), PassUntil(what="due"), ClaimNext()),
        (Enqueue(delay=3), Enqueue(delay=1), PassUntil(what="due"), ClaimNext(), ClaimNext()),
    ),
    "ENQ-10": (
        (Enqueue(), Cancel(), Cancel(), ClaimNext(), Cancel(task=-1)),
        (Enqueue(), ClaimNext(), Cancel(), Complete(), Cancel()),
        (Enqueue(), ClaimNext(), Fail(), Cancel(), PassUntil(what="due"), ClaimNext()),
        (Enqueue(), ClaimNext(), Fail(retry=False), Cancel(), ClaimNext()),
        (Enqueue(delay=5), Cancel(), PassUntil(what="due"), ClaimNext()),
    ),
    "ENQ-11": (
        (Get(task=-1), Enqueue(), Get(), ClaimNext(), Get(), Complete(), Get()),
        (Enqueue(type="a", priority=3, max_attempts=9), Enqueue(type="b"), Get(task=0), Get(task=1), Cancel(), Get()),
        (Enqueue(), ClaimNext(), Fail(retry=False), Get(), Get(task=-1)),
    ),
    "ENQ-13": (
        (EnqueueMany(items=(Enqueue(payload=1), Enqueue(payload=2, priority=5), Enqueue(type="mail"))), Stats()),
        (
            EnqueueMany(
                items=(
                    Enqueue(delay=5),
                    Enqueue(max_attempts=1, key="k"),
                    Enqueue(key="k", payload=2),
                    Enqueue(compatibility={"gpu": True}),
                )
            ),
            ClaimNext(),
            ClaimNext(),
            PassUntil(what="due"),
            ClaimNext(),
        ),
        (EnqueueMany(items=()), ClaimNext()),
    ),
}
