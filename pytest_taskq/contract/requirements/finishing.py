"""FIN: how an attempt ends, and who is allowed to end it."""

from __future__ import annotations

from pytest_taskq.contract.methods import Role
from pytest_taskq.contract.requirement import Requirement

REQUIREMENTS: tuple[Requirement, ...] = (
    Requirement(
        id="FIN-01",
        role=Role.ENGINE,
        grades=("complete_task",),
        needs=("enqueue", "claim_task"),
        how="mo",
        text=("The holder's completion makes the task `completed` with `finished_at`; it is never claimed again."),
        why=(
            "Cleanup deletes by `finished_at`: a completed task without it stays for ever. One that is claimable "
            "again repeats work that was already paid for."
        ),
        look_at=(
            "the commit, and the row count of the UPDATE behind the True",
            "`finished_at_utc` set in the same statement as the status, by the database's clock",
            "the lease: a completed row with an old deadline must not look reclaimable",
        ),
    ),
    Requirement(
        id="FIN-02",
        role=Role.ENGINE,
        grades=("complete_task", "fail_task"),
        needs=("enqueue", "claim_task", "leases"),
        how="mio",
        text=(
            "Fence: complete or fail by a worker that lost the lease (reclaimed; re-claimed by another; re-claimed by "
            "itself in a later attempt) returns False and changes nothing. A lease merely over: `late_finish`."
        ),
        why=(
            "A worker that paused for a minute comes back and reports success for work that another one is doing now. "
            "Without a fence it ends the other's attempt, and a later failure is written over a result."
        ),
        look_at=(
            "`WHERE id = ?` alone: add status, holder and the attempt or a token new with each claim",
            "the worker's name as the only fence: after a restart it is the same name",
            "the row count: no row changed means False",
            "`late_finish`: does the code do what the adapter promises?",
        ),
        bugs=("oban-bg/oban#1496", "rails/solid_queue#761", "imtms/tagent-core#56", "oban-bg/oban#862"),
    ),
    Requirement(
        id="FIN-03",
        role=Role.ENGINE,
        grades=("complete_task", "fail_task"),
        needs=("enqueue", "claim_task"),
        how="m",
        text=("A second completion, one of a deleted, queued or finished task, returns False and changes nothing."),
        why=(
            "A worker repeats the call when the first answer got lost. A second True counts the work twice, and a "
            "completion of a queued task marks as done what nobody has done."
        ),
        look_at=(
            "`AND status = 'leased'` in the UPDATE",
            "a late failure that sets a completed task back to queued",
            "an unknown id: False, not an exception",
        ),
        bugs=("Bogdanp/dramatiq#597",),
    ),
    Requirement(
        id="FIN-04",
        role=Role.ENGINE,
        grades=("fail_task",),
        needs=("enqueue", "claim_task", "get_task", "fail_task.error"),
        how="m",
        text=(
            "`fail_task` with attempts left requeues with the error recorded, not before the backoff; with none left, "
            "or `retry=False`, the task is `failed` with the error and `finished_at`."
        ),
        why=(
            "Without the backoff a service that is down is asked a thousand times a minute. Without the error text "
            "nobody can tell why a task died, and without `finished_at` it is never cleaned up."
        ),
        look_at=(
            "`attempts >= max_attempts` decides, after the claim has already counted this attempt",
            "`retry=False` on the first attempt",
            "holder and deadline cleared on the way back to queued",
            "`run_after_utc` moved by the backoff, from the database's now",
        ),
        bugs=("OCA/queue#347",),
    ),
    Requirement(
        id="FIN-05",
        role=Role.ENGINE,
        grades=("fail_task",),
        needs=("enqueue", "claim_task"),
        how="ms",
        text=(
            "The n-th delay lies in `d * (1 - jitter) .. d`, rounded up to the precision, with "
            "`d = min(maximum, initial * multiplier ** (n - 1))`; no overflow at attempt 1000."
        ),
        why=(
            "`2.0 ** 1100` raises OverflowError: the failure itself fails, and the task stays leased. A delay that is "
            "cut to 0 is a hot loop; one above the maximum keeps people waiting for hours."
        ),
        look_at=(
            "the power is computed before `min` can limit it: limit the exponent or catch OverflowError",
            "n counts from 1: the first delay is `initial`",
            "`int(0.9)` is 0: round up",
            "jitter is taken off d, never added on top of the maximum",
        ),
        bugs=("marin-community/marin#2868",),
    ),
    Requirement(
        id="FIN-06",
        role=Role.ENGINE,
        grades=("complete_task", "fail_task"),
        needs=("enqueue", "claim_task"),
        how="c",
        text=("Completion and failure are atomic, and once acknowledged survive the death of the process."),
        why=(
            "If 'failed' and 'put back' are two transactions, a worker that dies between them loses the retry. If True "
            "comes before the commit, finished work is done again."
        ),
        look_at=(
            "one statement or one transaction for status, error, times and counters",
            "a retry that is a new row: inserted and the old one closed in one transaction?",
            "True returned only after COMMIT has returned",
        ),
        bugs=("Bogdanp/dramatiq#545",),
    ),
    Requirement(
        id="FIN-07",
        role=Role.ENGINE,
        grades=("complete_task", "fail_task", "cancel_task", "reclaim_expired"),
        needs=("enqueue", "claim_task"),
        how="i",
        text=(
            "Complete racing complete, fail, reclaim or cancel: exactly one takes effect, and the others are told so."
        ),
        why=(
            "Each caller acts on its answer: one books the result, one retries, one refunds. Two that both hear 'yes' "
            "leave the books and the queue in disagreement, and no log shows it."
        ),
        look_at=(
            "the old status in the WHERE clause of every UPDATE that changes it",
            "a status read in one transaction and written in another",
            "counts and booleans taken from the row count of that same UPDATE",
        ),
        bugs=("riverqueue/river#1302",),
    ),
    Requirement(
        id="FIN-08",
        role=Role.ENGINE,
        grades=("fail_task",),
        needs=("enqueue", "claim_task", "fail_task.error"),
        how="m",
        text=(
            "The failure path is as robust as the payload: an error text with NUL, a lone surrogate or 1 MB is "
            "recorded or cut; the task never stays leased because of it."
        ),
        why=(
            "Error texts carry whatever the failing program printed. If recording it raises, the failure is not "
            "recorded at all, and the same task blocks a worker again and again."
        ),
        look_at=(
            "encoding: a lone surrogate cannot become UTF-8; use errors='replace' or 'backslashreplace'",
            "NUL, which PostgreSQL's text and jsonb refuse",
            "a limit on the length, applied before the statement runs",
        ),
        bugs=("hatchet-dev/hatchet#4611", "kestra-io/kestra#10326"),
    ),
    Requirement(
        id="FIN-09",
        role=Role.ENGINE,
        grades=("fail_task", "reclaim_expired"),
        needs=("enqueue", "claim_task", "get_task"),
        how="m",
        text="A dead letter keeps its last error and attempts, is not claimable, and holds no lease.",
        why=(
            "The dead letter is all that the person who repairs it has. One that still holds a lease is reclaimed and "
            "runs again; one whose error was cleared has to be debugged from nothing."
        ),
        look_at=(
            "`locked_by` and `lease_until_utc` set to NULL together with status 'failed'",
            "a reclaim that overwrites the last error with NULL",
            "an over-lease condition that does not ask for status 'leased'",
        ),
    ),
)
