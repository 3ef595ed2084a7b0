"""LAT: how fast each method is, alone and under load, and that load brings no errors."""

from __future__ import annotations

from pytest_taskq.contract.methods import Role
from pytest_taskq.contract.requirement import Level, Requirement

REQUIREMENTS: tuple[Requirement, ...] = (
    Requirement(
        id="LAT-01",
        role=Role.CLIENT,
        grades=("enqueue",),
        how="t",
        text="p95 < 10 ms at 10,000 queued.",
        why=(
            "Enqueue runs inside other people's web requests; its slow tail is added to the slow tail of every page "
            "that uses the queue."
        ),
        look_at=(
            "one transaction with one INSERT, on a connection that is already open",
            "the number of indexes that each INSERT has to update",
            "the ratio to the floor: if that is near 1, the storage is slow, not the code",
        ),
    ),
    Requirement(
        id="LAT-02",
        role=Role.ENGINE,
        grades=("claim_task", "claim_by"),
        needs=("enqueue",),
        how="t",
        text="p95 < 5 ms at 10,000 queued.",
        why=(
            "SQLite has one writer, so the time of a claim is time in which nobody else can write. The number of "
            "workers that the queue can feed is set by it."
        ),
        look_at=(
            "the query plan (INF-07) and the steps per claim (SCH-08) first: they do not depend on the machine",
            "over leases that are reclaimed in every claim, also when there are none",
            "Python work between BEGIN and COMMIT",
        ),
    ),
    Requirement(
        id="LAT-03",
        role=Role.ENGINE,
        grades=("complete_task", "fail_task", "renew_lease"),
        needs=("enqueue", "claim_task"),
        how="t",
        text="p95 < 5 ms at 10,000 queued.",
        why=(
            "Every task pays for one of these, and long tasks for many renewals. A slow renewal comes after the "
            "deadline that it was to move."
        ),
        look_at=(
            "an UPDATE by primary key, without a search for the row",
            "a second read transaction that only checks what the UPDATE's guard checks anyway",
            "statistics or cleanup that are run along with each completion",
        ),
    ),
    Requirement(
        id="LAT-04",
        role=Role.OBSERVABILITY,
        grades=("queue_stats",),
        needs=("enqueue",),
        how="t",
        text="p95 < 50 ms at 10,000 queued.",
        why=(
            "Dashboards and autoscalers poll it. Where it takes seconds they show the past, and scale for a backlog "
            "that is gone."
        ),
        look_at=(
            "one query with GROUP BY over an index that begins with the status",
            "payloads read along with the rows that are only counted",
            "one query per status",
        ),
    ),
    Requirement(
        id="LAT-05",
        role=Role.ENGINE,
        grades=("claim_task", "claim_by", "complete_task"),
        needs=("enqueue", "claim_task", "complete_task"),
        how="th",
        text=(
            "4 workers finish at least 400 tasks a minute; in the window in which all four were ready (2,000 claims or "
            "more) none gets less than a quarter of its fair share."
        ),
        why=(
            "A worker that is starved holds its leases and its memory for nothing, and a team that runs one worker "
            "beside somebody's three gets no work done at all."
        ),
        look_at=(
            "SQLite's own busy handler, which sleeps longer and longer: short jittered retries are fairer",
            "a worker that claims again in the same transaction, before others get the lock",
            "a long pause after a claim that found nothing",
        ),
    ),
    Requirement(
        id="LAT-06",
        level=Level.SHOULD,
        role=Role.ENGINE,
        grades=("claim_task", "claim_by"),
        needs=("enqueue",),
        how="t",
        text="Claim p50 at 100,000 queued is at most 3 times that at 1,000.",
        why=(
            "A queue that slows down with its length can never work off a backlog: the outage that filled it goes on "
            "for hours after its cause is gone."
        ),
        look_at=(
            "SCH-08: it counts the same growth in steps, and does not depend on the machine",
            "a sort of all candidates before LIMIT",
            "an index too large for the page cache",
        ),
    ),
    Requirement(
        id="LAT-07",
        role=Role.CLIENT,
        grades=("enqueue", "claim_task", "claim_by", "complete_task"),
        needs=("enqueue",),
        how="h",
        text=(
            "No lock error, deadlock or serialization failure reaches the caller in the load run before the busy "
            "timeout."
        ),
        why=(
            "Each such error is a failed request or a worker that crashes. They come only with load, so the teams meet "
            "them for the first time on their busiest day."
        ),
        look_at=(
            "`BEGIN IMMEDIATE`: SQLite does not wait when a read transaction turns into a write",
            "the busy timeout on each connection, also the second thread's",
            "PostgreSQL: rows locked in the order of their ids; serialization failures retried inside",
        ),
        bugs=("rails/solid_queue#385", "coleifer/huey#445", "aikirun/aiki#196"),
    ),
)
