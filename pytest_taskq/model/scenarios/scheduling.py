"""Programs about the order in which tasks are served (SCH)."""

from __future__ import annotations

from pytest_taskq.contract import SchedulingStrategy
from pytest_taskq.model.calls import Cancel, ClaimNext, Complete, Enqueue, Fail, Pass, PassUntil, Program, Reclaim
from pytest_taskq.model.scenarios.parts import OVER, THREE

FIFO, LIFO, PRIORITY, WEIGHTED = SchedulingStrategy


def _by(strategy: SchedulingStrategy) -> ClaimNext:
    return ClaimNext(strategy=strategy)


def _ordered(strategy: SchedulingStrategy) -> tuple[Program, ...]:
    """Programs in which the strategy has something to choose from: fresh, prioritised, retried, delayed tasks."""
    mixed = tuple(Enqueue(payload=n, priority=p) for n, p in enumerate((100, 5, 200, 5, 0)))
    take = _by(strategy)
    return (
        (*THREE, take, take, take, take),
        (*mixed, take, take, take, take, take),
        (*THREE, take, Fail(), PassUntil(what="due"), take, take, take),
        (*THREE, take, PassUntil(what="lease"), Reclaim(), take, take, take),
        (Enqueue(delay=5), Enqueue(), Pass(), Enqueue(), PassUntil(what="due"), take, take, take),
        (Enqueue(delay=5), take, Enqueue(), PassUntil(what="due"), take, take),
        (*THREE, take, Cancel(task=2), Enqueue(payload=4), take, take, take),
        (Enqueue(priority=-5), Enqueue(priority=0), Enqueue(priority=10), Enqueue(priority=9), take, take, take, take),
    )


def _under_each_strategy() -> tuple[Program, ...]:
    programs: list[Program] = []
    for strategy in SchedulingStrategy:
        take = _by(strategy)
        able = ClaimNext(strategy=strategy, capabilities={"gpu": True})
        programs += [
            (take, Enqueue(), take, take),
            (Enqueue(max_attempts=2), take, *OVER, take, *OVER, take),
            (Enqueue(compatibility={"gpu": True}), Enqueue(), take, take, able),
            (Enqueue(delay=3), take, PassUntil(what="due", offset=-1), take, Pass(), take),
            (Enqueue(), take, PassUntil(what="lease", offset=-1), take, *OVER, take),
            (Enqueue(), Cancel(), Enqueue(), take, Complete(), take),
        ]
    return tuple(programs)


SCENARIOS: dict[str, tuple[Program, ...]] = {
    "SCH-01": _ordered(FIFO),
    "SCH-02": _ordered(LIFO),
    "SCH-03": _ordered(PRIORITY),
    "SCH-06": _under_each_strategy(),
}
