"""What is recorded: one session per group of requirements, each a few jobs on one fresh store."""

from __future__ import annotations

import random
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from pytest_taskq.history import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_taskq.recording.crew import Member
    from pytest_taskq.recording.stage import Recording, Stage

_OLD = "INSERT INTO task_queue (type, status, payload, finished_at_utc) VALUES ('old', ?, ?, '2001-02-03 04:05:06')"
OLDER_THAN = 3600.0
LEASE = 1.0


def seconds(stage: Stage, smoke: float, pr: float, soak: float) -> float:
    """Return the length of a job for the effort of the run."""
    return {"smoke": smoke, "pr": pr, "soak": soak}[stage.budget.effort]


def is_shared(stage: Stage) -> bool:
    """Whether what one process enqueues another can claim, on a store of its own."""
    stage.work("probe", 0.0, size=1, put=True)
    return all(stage.work("probe", 0.0, size=2, put=False))


def traffic(stage: Stage, longer: int) -> Recording:
    """Mixed traffic near an empty queue, then everybody after the same tasks, then one takes what is left."""
    reclaim = stage.offers("reclaim_expired", "leases")
    stage.work("traffic", longer * seconds(stage, 0.15, 0.8, 20), reclaim=reclaim, fail=stage.offers("fail_task"))
    stage.stock(round(longer * seconds(stage, 60, 200, 2_000)))
    stage.work("rush", longer * seconds(stage, 1, 3, 60))
    stage.drain()
    return stage.recording()


def order(strategy: str) -> Callable[[Stage, int], Recording]:
    """Return the session of one strategy: two enqueue, two claim, with tasks waiting."""

    def session(stage: Stage, longer: int) -> Recording:
        ways = [("claim_by", strategy)]
        stage.work("stock", 0.0, size=1, ways=ways, count=round(longer * seconds(stage, 30, 60, 500)))
        stage.work("order", longer * seconds(stage, 0.12, 0.5, 15), ways=ways)
        return stage.recording()

    return session


def keys(stage: Stage, longer: int) -> Recording:
    """Everybody enqueues under the same keys at the same moments."""
    count, apart = round(longer * seconds(stage, 40, 150, 3_000)), 2_000_000
    answers = stage.work("keys", count * apart / SECOND + 20, ways=(), count=count, apart=apart)
    return stage.recording(ids=answers)


def counting(stage: Stage, longer: int) -> Recording:
    """One counts while three enqueue, claim and complete."""
    stage.stock(10)
    claims = stage.offers("claim_task") or stage.offers("claim_by")
    stage.work("counting", longer * seconds(stage, 0.15, 0.6, 15), ways=None if claims else ())
    return stage.recording()


def cleaning(stage: Stage, longer: int) -> Recording:
    """Two delete what the kit has put there as long finished, two others do live work beside it."""
    length = longer * seconds(stage, 0.2, 0.7, 15)
    shared = stage.subject.shared_schema
    status = stage.subject.promises.deletes[0] if stage.subject.promises.deletes else "completed"
    put = 0

    def add_old_ones(_: Sequence[Member]) -> None:
        nonlocal put
        until = time.monotonic() + length
        while shared and time.monotonic() < until:
            stage.sql(_OLD, [(status, "{}")] * 5)
            put += 5
            time.sleep(0.005)

    answers = stage.work("cleaning", length, interfere=add_old_ones, older_than=OLDER_THAN if shared else 0.0)
    return stage.recording(put=put, deleted=answers)


def deaths(stage: Stage, longer: int) -> Recording:
    """Two of four are killed while they enqueue, at moments drawn from the seed; then one takes what is there."""
    chance = random.Random(stage.budget.seed_for("deaths"))  # noqa: S311 - the seed of the run

    def kill_two(team: Sequence[Member]) -> None:
        for member in team[:2]:
            time.sleep(0.02 + chance.random() * 0.04)
            member.kill()

    for _ in range(round(longer * seconds(stage, 1, 3, 40))):
        stage.work("storing", 0.12, ways=(), interfere=kill_two)
    if not stage.subject.shared_schema:
        stage.drain()
    return stage.recording()


def short_leases(stage: Stage, longer: int) -> Recording:
    """Leases of a second, many of them forgotten, so that they run out in real time; then everything is taken back."""
    precision = stage.subject.promises.time_precision
    renew, reclaim = stage.offers("renew_lease"), stage.offers("reclaim_expired")
    stage.stock(30)
    stage.work("leases", longer * (LEASE + precision + 0.3), lease=LEASE, renew=renew, reclaim=reclaim)
    first_of_drain = len(stage.operations)
    time.sleep(LEASE + precision + 0.1)  # only makes it happen: what is judged is what the stamps say
    stage.work("drain", 0.0, size=1, reclaim_first=reclaim)
    return stage.recording(first_of_drain=first_of_drain)


def opening(stage: Stage, longer: int) -> Recording:
    """Everybody opens the same fresh database at the same moment, many times; one more is opened by one alone."""
    count = round(longer * seconds(stage, 3, 12, 200))
    apart = 40_000_000
    with ExitStack() as there:
        names = [f"fresh-{longer}-{number}" for number in range(count + 1)]
        places = [there.enter_context(stage.queue.store.bare(name)) for name in names]
        dsns = [place.dsn for place in places]
        stage.work("opening", 0.0, ways=(), size=1, dsns=dsns[:1], apart=0, warm=False)
        stage.work("opening", 0.0, ways=(), dsns=dsns[1:], apart=apart, warm=False)
        return stage.recording(schemas={place.dsn: place.objects() for place in places})


def sharing(stage: Stage, longer: int) -> Recording:
    """Three threads and a forked child on one database object."""
    answers = stage.work(
        "sharing",
        longer * seconds(stage, 0.1, 0.5, 10),
        ways=(),
        size=1,
        fork=True,
        placeholder=stage.queue.store.placeholder,
    )
    return stage.recording(shared=answers[0])
