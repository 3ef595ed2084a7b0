"""MNT: cleaning up and taking back, without touching what is alive."""

from __future__ import annotations

from pytest_taskq.contract.methods import Role
from pytest_taskq.contract.requirement import Level, Requirement

_FINISHED = ("enqueue", "claim_task", "complete_task")

REQUIREMENTS: tuple[Requirement, ...] = (
    Requirement(
        id="MNT-01",
        role=Role.MAINTENANCE,
        grades=("delete_finished",),
        needs=_FINISHED,
        how="mo",
        text=(
            "Deletes the tasks in the promised `deletes` states whose `finished_at` is older than the limit, all of "
            "them and nothing else, not those exactly at the limit. The count is exact."
        ),
        why=(
            "What cleanup deletes is gone. A condition on the day of creation removes a task that waited a month and "
            "is running now; a missing state takes the dead letters somebody still has to look at."
        ),
        look_at=(
            "`finished_at_utc`, not `created_at_utc` or `updated_at_utc`",
            "`<` for 'older than', and the clock of the database on both sides",
            "the list of states against `promises.deletes`",
            "the count when it works in batches: their sum",
        ),
        bugs=("armadaproject/armada#3608", "zorrobyte/asset-studio#4"),
    ),
    Requirement(
        id="MNT-02",
        role=Role.MAINTENANCE,
        grades=("delete_finished",),
        needs=_FINISHED,
        how="ih",
        text=(
            "Cleanup racing claim, complete and enqueue deletes nothing live and breaks no reader; the count is of "
            "rows it deleted itself."
        ),
        why=(
            "Cleanup runs while everybody works. Ids that were selected a moment ago and are deleted now may belong "
            "to tasks that somebody put back in between."
        ),
        look_at=(
            "the full condition in the DELETE itself, not only in the SELECT of the ids",
            "two cleanups at once: each counts what its own DELETE removed",
            "the order in which rows are locked, the same in every batch (PostgreSQL)",
        ),
        bugs=("timgit/pg-boss#282", "getsentry/taskbroker#778"),
    ),
    Requirement(
        id="MNT-03",
        level=Level.SHOULD,
        role=Role.MAINTENANCE,
        grades=("delete_finished",),
        needs=(*_FINISHED, "shared schema"),
        how="xi",
        text="At most 1,000 rows leave per transaction, so that nobody waits for a long one.",
        why=(
            "The first cleanup after a year deletes a million rows. In one transaction it holds the write lock for "
            "half a minute, and every claim of every team runs into its busy timeout."
        ),
        look_at=(
            "a DELETE by the ids of a SELECT with LIMIT 1000, repeated until nothing is left",
            "one transaction around the whole loop instead of one per batch",
            "log rows that go with the tasks: a batch is longer than it looks",
        ),
    ),
    Requirement(
        id="MNT-04",
        role=Role.MAINTENANCE,
        grades=("delete_finished",),
        needs=_FINISHED,
        how="c",
        text=("Death in the middle of cleanup leaves a consistent queue; running it again finishes the job."),
        why=(
            "Cleanup is a cron job with a time limit, so it is killed some day. Tasks that were moved to an archive "
            "but not deleted, or deleted while their logs stayed, make every later run fail."
        ),
        look_at=(
            "rows and what refers to them deleted in one transaction per batch",
            "a mark 'cleanup is running' that survives the process and blocks the next one",
            "progress that is remembered outside the database",
        ),
    ),
    Requirement(
        id="MNT-05",
        role=Role.MAINTENANCE,
        grades=("reclaim_expired",),
        needs=("enqueue", "claim_task", "leases"),
        how="mi",
        text=(
            "Touches exactly the tasks whose lease is over: attempts left, as `lease_over` says and due at once; none "
            "left, failed. The count is exact. Two at once reclaim each task once."
        ),
        why=(
            "It is the only way back for the tasks of a dead worker. Too broad, it takes tasks from workers that are "
            "alive; too narrow, tasks stay leased to machines that no longer exist."
        ),
        look_at=(
            "`status = 'leased' AND lease_until_utc <= now`, both in the UPDATE",
            "`attempts < max_attempts` decides between queued and failed, in the same transaction",
            "attempts are counted by the claim: the reclaim must not add one",
            "holder and deadline cleared, `run_after_utc` not in the future",
        ),
        bugs=("riverqueue/river#1105",),
    ),
    Requirement(
        id="MNT-06",
        role=Role.MAINTENANCE,
        grades=("reclaim_expired", "complete_task", "renew_lease"),
        needs=("enqueue", "claim_task", "reclaim_expired", "leases"),
        how="i",
        text="Reclaim racing complete or renew: exactly one wins; a completed task never comes back.",
        why=(
            "A worker finishes in the very second in which its lease ends. If the reclaim acts on what it read before "
            "that, the finished task is queued again and its effect happens twice."
        ),
        look_at=(
            "the UPDATE by id after a SELECT: it needs status and deadline in its own WHERE clause",
            "`RETURNING` or the row count, to report only what really changed",
            "the completion: it must be refused once the task was reclaimed",
        ),
        bugs=("riverqueue/river#1302",),
    ),
    Requirement(
        id="MNT-07",
        role=Role.MAINTENANCE,
        grades=("delete_finished",),
        needs=(*_FINISHED, "shared schema"),
        how="x",
        text="Rows that refer to a deleted task (logs, put there by SQL) go with it or stay valid.",
        why=(
            "Observability writes log rows by plain SQL. If the deletion fails on the foreign key, nothing is cleaned "
            "up any more; if it does not, the logs of the deleted task point to nothing."
        ),
        look_at=(
            "`ON DELETE CASCADE` or SET NULL on `task_logs.task_id`, and `PRAGMA foreign_keys = ON`",
            "the order: logs first, then the task, in one transaction",
            "an index on `task_logs.task_id`, or each deletion scans the logs",
        ),
    ),
)
