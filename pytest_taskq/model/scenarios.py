"""Short programs that bring about what each requirement is about, so that no verdict rests on luck.

They run first at every effort; what Hypothesis generates comes on top. Adding one is a line.
"""

from __future__ import annotations

from typing import Any

from pytest_taskq.contract import SchedulingStrategy
from pytest_taskq.model.calls import (
    Call,
    Cancel,
    ClaimNext,
    Complete,
    DeleteFinished,
    Enqueue,
    EnqueueMany,
    Fail,
    Get,
    InsertRow,
    Pass,
    PassUntil,
    Program,
    Reclaim,
    Renew,
    Stats,
)

FIFO, LIFO, PRIORITY, WEIGHTED = SchedulingStrategy


def nested(depth: int) -> Any:  # noqa: ANN401 - a JSON value
    """Return lists and objects nested ``depth`` deep."""
    value: Any = "bottom"
    for level in range(depth):
        value = [value] if level % 2 else {"in": value}
    return value


PAYLOADS: tuple[Any, ...] = (
    {},
    [],
    "",
    None,
    True,
    0,
    {"text": "naïve ☃ \U0001d518 \u202e \ufeff", "nul": "a\x00b", "": "empty key"},
    {"surrogate": "\ud800", "controls": "".join(map(chr, range(32)))},
    [2**53 + 1, -(2**63) - 1, 10**3999],
    [0.1, 1e308, 5e-324, -0.0, 1.0],
    {"quotes": "'\"`;--\\", "html": "</script>"},
    nested(50),
    {"large": "x" * 1_000_000},
)
ODD_TEXTS = (
    "'; DROP TABLE task_queue; --",
    'say "hi" \\ % _ * ? {} $1 :a',
    "tab\tline\nbell\x07",
    "ünïcødé ☃",
    "nul\x00after",
)
ODD_ERRORS = ("nul\x00in the error", "lone \ud800 surrogate", "e" * 1_000_000, "'; DELETE FROM task_queue; --", "")

_OVER: tuple[PassUntil, Reclaim] = (PassUntil(what="lease"), Reclaim())
_LOST_TO_SELF: Program = (Enqueue(), ClaimNext(), *_OVER, ClaimNext())
_LOST_TO_OTHER: Program = (Enqueue(), ClaimNext(), *_OVER, ClaimNext(worker="w2"))
_LOST_TO_NOBODY: Program = (Enqueue(), ClaimNext(), *_OVER)
_STALE = (_LOST_TO_NOBODY, _LOST_TO_OTHER, _LOST_TO_SELF)
_THREE = (Enqueue(payload=1), Enqueue(payload=2), Enqueue(payload=3))


def _by(strategy: SchedulingStrategy) -> ClaimNext:
    return ClaimNext(strategy=strategy)


def _ordered(strategy: SchedulingStrategy) -> tuple[Program, ...]:
    """Programs in which the strategy has something to choose from: fresh, prioritised, retried, delayed tasks."""
    mixed = tuple(Enqueue(payload=n, priority=p) for n, p in enumerate((100, 5, 200, 5, 0)))
    take = _by(strategy)
    return (
        (*_THREE, take, take, take, take),
        (*mixed, take, take, take, take, take),
        (*_THREE, take, Fail(), PassUntil(what="due"), take, take, take),
        (*_THREE, take, PassUntil(what="lease"), Reclaim(), take, take, take),
        (Enqueue(delay=5), Enqueue(), Pass(), Enqueue(), PassUntil(what="due"), take, take, take),
        (Enqueue(delay=5), take, Enqueue(), PassUntil(what="due"), take, take),
        (*_THREE, take, Cancel(task=2), Enqueue(payload=4), take, take, take),
        (Enqueue(priority=-5), Enqueue(priority=0), Enqueue(priority=10), Enqueue(priority=9), take, take, take, take),
    )


def _under_each_strategy() -> tuple[Program, ...]:
    programs: list[Program] = []
    for strategy in SchedulingStrategy:
        take = _by(strategy)
        able = ClaimNext(strategy=strategy, capabilities={"gpu": True})
        programs += [
            (take, Enqueue(), take, take),
            (Enqueue(max_attempts=2), take, *_OVER, take, *_OVER, take),
            (Enqueue(compatibility={"gpu": True}), Enqueue(), take, take, able),
            (Enqueue(delay=3), take, PassUntil(what="due", offset=-1), take, Pass(), take),
            (Enqueue(), take, PassUntil(what="lease", offset=-1), take, *_OVER, take),
            (Enqueue(), Cancel(), Enqueue(), take, Complete(), take),
        ]
    return tuple(programs)


def _bad(**columns: Any) -> InsertRow:  # noqa: ANN401 - any value of a column
    return InsertRow(columns=tuple({"type": "job", "payload": "{}", **columns}.items()))


BAD_ROWS = (
    _bad(compatibility="not JSON"),
    _bad(compatibility="[1]"),
    _bad(compatibility=None),
    _bad(payload="not JSON {"),
    _bad(attempts=5),
    _bad(attempts=7, max_attempts=3),
    _bad(attempts=None),
    _bad(max_attempts=None),
    _bad(priority=None),
    _bad(run_after_utc=None),
    _bad(run_after_utc="2001-01-01T00:00:00"),
    _bad(run_after_utc="2001-01-01 00:00:00.123"),
    _bad(run_after_utc="2001-01-01T00:00:00.123456+00:00"),
)

_ABLE = {"gpu": True, "memory": 8, "zone": {"b": [1, 2], "a": None}}
_COMPATIBLE: tuple[dict[str, Any], ...] = ({"gpu": True}, {"memory": 8.0}, {"zone": {"a": None, "b": [1, 2]}}, {})
_INCOMPATIBLE: tuple[dict[str, Any], ...] = (
    {"gpu": 1},
    {"gpu": "true"},
    {"memory": 9},
    {"zone": {"a": None}},
    {"absent": None},
    {"memory": "8"},
)


def _repeated(times: int, *calls: Call) -> Program:
    return calls * times


def _failing(times: int) -> Program:
    return (Enqueue(max_attempts=times + 1), *_repeated(times, ClaimNext(), Fail(), PassUntil(what="due")))


SCENARIOS: dict[str, tuple[Program, ...]] = {
    "INF-05": (
        (Enqueue(payload=PAYLOADS[6], key="k", compatibility={"gpu": True}, priority=3), Get()),
        (Enqueue(payload={"n": 1}), Get(), ClaimNext(), Get(), Complete(), Get()),
        *((row, Enqueue(), Get(task=0), Get(task=1)) for row in BAD_ROWS),
    ),
    "ENQ-01": (
        (*_THREE, ClaimNext(), ClaimNext(), ClaimNext(), ClaimNext()),
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
    "CLM-01": (
        (ClaimNext(), Enqueue(), ClaimNext(), ClaimNext()),
        (*_THREE, ClaimNext(), Complete(), ClaimNext(), Cancel(task=2), ClaimNext()),
        (Enqueue(delay=3), Enqueue(compatibility={"gpu": True}), Enqueue(), ClaimNext(), ClaimNext()),
        (Enqueue(max_attempts=1), ClaimNext(), Fail(), ClaimNext(), Pass(seconds=400), ClaimNext()),
        (Enqueue(), ClaimNext(), Fail(retry=False), ClaimNext(), Pass(seconds=400), ClaimNext()),
    ),
    "CLM-05": (
        (Enqueue(max_attempts=2), ClaimNext(), *_OVER, ClaimNext(), *_OVER, ClaimNext(), Stats()),
        (
            Enqueue(max_attempts=2),
            *_repeated(2, ClaimNext(), PassUntil(what="lease")),
            ClaimNext(),
            Reclaim(),
            ClaimNext(),
        ),
        (Enqueue(max_attempts=2), ClaimNext(), Fail(), PassUntil(what="due"), ClaimNext(), Fail(), ClaimNext()),
        (Enqueue(max_attempts=1), ClaimNext(), *_OVER, ClaimNext()),
        (
            Enqueue(max_attempts=3),
            ClaimNext(),
            *_OVER,
            ClaimNext(),
            Fail(),
            PassUntil(what="due"),
            ClaimNext(),
            *_OVER,
            ClaimNext(),
        ),
    ),
    "CLM-07": (
        *((Enqueue(compatibility=able), ClaimNext(), ClaimNext(capabilities=_ABLE)) for able in _COMPATIBLE),
        *(
            (Enqueue(compatibility=unable), Enqueue(), ClaimNext(capabilities=_ABLE), ClaimNext(capabilities=_ABLE))
            for unable in _INCOMPATIBLE
        ),
        (*(Enqueue(compatibility={"gpu": True}) for _ in range(30)), Enqueue(), ClaimNext(), ClaimNext()),
        (
            Enqueue(compatibility={"gpu": True, "memory": 9}),
            ClaimNext(capabilities=_ABLE),
            ClaimNext(capabilities={**_ABLE, "memory": 9}),
        ),
    ),
    "CLM-11": tuple((row, Enqueue(), ClaimNext(), ClaimNext(), ClaimNext(), Stats()) for row in BAD_ROWS),
    "CLM-12": (
        (*_THREE, ClaimNext(n=2), ClaimNext(n=5), ClaimNext(n=1)),
        (
            *_THREE,
            Enqueue(delay=5),
            Enqueue(compatibility={"gpu": True}),
            ClaimNext(n=10),
            PassUntil(what="due"),
            ClaimNext(n=1),
        ),
        (*_THREE, ClaimNext(n=1), PassUntil(what="lease"), Reclaim(), ClaimNext(n=3), Complete()),
        *((Enqueue(), row, Enqueue(), ClaimNext(n=2), ClaimNext(n=2), ClaimNext(n=2)) for row in BAD_ROWS[:4]),
    ),
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
            *_OVER,
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
        *((*stale, Renew(claim=0 if stale is _LOST_TO_NOBODY else 1, lease=99)) for stale in _STALE),
        (Enqueue(), ClaimNext(), Complete(), Renew(lease=99)),
        (Enqueue(), ClaimNext(), Fail(), Renew(lease=99), PassUntil(what="due"), ClaimNext()),
        (Enqueue(), ClaimNext(), Fail(retry=False), Renew(lease=99)),
    ),
    "FIN-01": (
        (Enqueue(), ClaimNext(), Complete(), ClaimNext(), *_OVER, ClaimNext()),
        (
            *_THREE,
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
        *((*stale, Complete(claim=0 if stale is _LOST_TO_NOBODY else 1), ClaimNext()) for stale in _STALE),
        *((*stale, Fail(claim=0 if stale is _LOST_TO_NOBODY else 1), ClaimNext()) for stale in _STALE),
        *((*stale, Fail(claim=0 if stale is _LOST_TO_NOBODY else 1, retry=False)) for stale in _STALE),
        (Enqueue(), ClaimNext(), Complete(worker="w2"), Fail(worker="w2"), Complete()),
        (Enqueue(), ClaimNext(), PassUntil(what="lease"), Complete()),
        (Enqueue(), ClaimNext(), PassUntil(what="lease"), Fail()),
        (*_LOST_TO_SELF, Complete(claim=1), Complete(claim=0)),
    ),
    "FIN-03": (
        (Enqueue(), ClaimNext(), Complete(), Complete(), Fail(), Fail(retry=False)),
        (Enqueue(), ClaimNext(), Fail(), Complete(), Fail(), PassUntil(what="due"), Complete(), ClaimNext()),
        (Enqueue(), ClaimNext(), Fail(retry=False), Complete(), Fail()),
        (Enqueue(), ClaimNext(), Complete(), Pass(steps=2), DeleteFinished(), Complete(), Fail()),
        (*_LOST_TO_NOBODY, Cancel(), Complete(), Fail()),
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
            *_repeated(4, ClaimNext(), Fail(), PassUntil(what="due", offset=-1), ClaimNext(), PassUntil(what="due")),
        ),
    ),
    "FIN-05": (
        _failing(4),
        _failing(70),
        (
            Enqueue(),
            *_repeated(
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
            *_OVER,
            ClaimNext(),
        ),
        (Enqueue(), ClaimNext(), Fail(error="give up", retry=False), ClaimNext(), Cancel(), ClaimNext()),
        (Enqueue(max_attempts=1), ClaimNext(), *_OVER, Pass(seconds=20), Reclaim(), ClaimNext()),
    ),
    "SCH-01": _ordered(FIFO),
    "SCH-02": _ordered(LIFO),
    "SCH-03": _ordered(PRIORITY),
    "SCH-06": _under_each_strategy(),
    "OBS-01": (
        (Stats(), *_THREE, Stats(), ClaimNext(), Stats(), Complete(), Stats(), ClaimNext(), Fail(), Stats()),
        (*_THREE, ClaimNext(), Fail(retry=False), Cancel(task=2), Stats(), ClaimNext(), *_OVER, Stats()),
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
        (DeleteFinished(), *_THREE, ClaimNext(), Complete(), DeleteFinished(), Pass(), DeleteFinished(), Stats()),
        (
            *_THREE,
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
            *_THREE,
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
            *_THREE,
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
        (Enqueue(max_attempts=1), Enqueue(), ClaimNext(), ClaimNext(), *_OVER, Stats(), ClaimNext(), ClaimNext()),
        (*_THREE, ClaimNext(), Complete(), ClaimNext(), Fail(), ClaimNext(), *_OVER, Stats()),
        (Enqueue(), ClaimNext(), Pass(steps=5), Renew(lease=10), Pass(steps=5), Reclaim(), *_OVER, ClaimNext()),
    ),
}
