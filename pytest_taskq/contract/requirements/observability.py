"""OBS: statistics that are true and cost the writers nothing."""

from __future__ import annotations

from pytest_taskq.contract.methods import Role
from pytest_taskq.contract.requirement import Level, Requirement

REQUIREMENTS: tuple[Requirement, ...] = (
    Requirement(
        id="OBS-01",
        role=Role.OBSERVABILITY,
        grades=("queue_stats",),
        needs=("enqueue",),
        how="m",
        text=("Counts per status are exact; a status without tasks is 0 or absent; an empty queue is no error."),
        why=(
            "Alarms and autoscaling hang on these numbers. A counter that drifts by one with each crash shows a "
            "backlog that is not there, or hides one that is."
        ),
        look_at=(
            "counters that are kept beside the rows instead of counted from them",
            "a status name that nothing writes",
            "over leases: they are `leased` until something reclaims them",
        ),
        bugs=("rails/solid_queue#761",),
    ),
    Requirement(
        id="OBS-02",
        role=Role.OBSERVABILITY,
        grades=("queue_stats",),
        needs=("enqueue",),
        how="ih",
        text=("One snapshot: the counts are those of one moment within the call, whatever the writers do meanwhile."),
        why=(
            "With one query per status a task that moves in between is counted twice or not at all, so the sum is "
            "wrong exactly when the queue is busy and somebody looks."
        ),
        look_at=(
            "one `SELECT status, count(*) ... GROUP BY status`",
            "several queries: put them in one read transaction",
            "a cache that is older than the call",
        ),
    ),
    Requirement(
        id="OBS-03",
        role=Role.OBSERVABILITY,
        grades=("queue_stats",),
        needs=("enqueue", "shared schema"),
        how="oi",
        text="Reading changes nothing: no row, no lock that a writer waits for, no temporary table left.",
        why=(
            "A dashboard polls every few seconds from many browsers. If looking takes the write lock, or reclaims "
            "leases on the way, watching the queue changes what it does."
        ),
        look_at=(
            "`db.connection()` for reads; `transaction()` begins with the write lock",
            "a reclaim or cleanup that is called 'while we are here'",
            "a cursor left open, which holds its snapshot and keeps the WAL growing",
        ),
    ),
    Requirement(
        id="OBS-04",
        level=Level.SHOULD,
        role=Role.OBSERVABILITY,
        grades=("queue_stats",),
        needs=("enqueue",),
        how="t",
        text="Writers keep their latency while statistics are read in a loop.",
        why=(
            "On a million rows a count takes a while. If claims wait for it, opening the dashboard during an incident "
            "makes the incident worse."
        ),
        look_at=(
            "WAL mode, so that readers do not block the writer",
            "long read transactions, which stop the checkpoint",
            "an index that covers the count, instead of the whole rows",
        ),
    ),
)
