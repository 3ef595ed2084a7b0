"""CLM: a claim hands each task to one worker at a time, and loses none."""

from __future__ import annotations

from pytest_taskq.contract.methods import Role
from pytest_taskq.contract.requirement import Requirement

REQUIREMENTS: tuple[Requirement, ...] = (
    Requirement(
        id="CLM-01",
        role=Role.ENGINE,
        grades=("claim_task", "claim_by"),
        needs=("enqueue",),
        how="m",
        text=("A claim returns a due, queued (or over), compatible task, or None; never an error for an empty queue."),
        why=(
            "The worker loop calls it all day. A finished task that is handed out again repeats its effect; an "
            "exception on an empty queue stops the worker each night."
        ),
        look_at=(
            "the WHERE clause, state by state: `status != 'leased'` also matches the finished ones",
            "a row that is read when there is none (`fetchone()[0]`)",
            "AND and OR without brackets in the condition for over leases",
        ),
    ),
    Requirement(
        id="CLM-02",
        role=Role.ENGINE,
        grades=("claim_task", "claim_by", "reclaim_expired"),
        needs=("enqueue", "claim_task"),
        how="iho",
        text="No claim returns a task while an earlier claim of it is unfinished and its lease is not over.",
        why=(
            "Two workers on one task send the mail twice and charge the card twice, then overwrite each other's "
            "result. It shows only under load, so it is found in production."
        ),
        look_at=(
            "a SELECT whose id feeds a later UPDATE: both workers read before either writes",
            "the UPDATE's own guard (`AND status = 'queued'`) and the row count it returns",
            "`BEGIN IMMEDIATE`, not BEGIN: a deferred one takes no lock at the SELECT",
            "on PostgreSQL `FOR UPDATE SKIP LOCKED` in the statement that selects",
        ),
        bugs=("coleifer/huey#123", "agronholm/apscheduler#959", "kent8192/reinhardt-web#738"),
    ),
    Requirement(
        id="CLM-03",
        role=Role.ENGINE,
        grades=(
            "enqueue",
            "claim_task",
            "claim_by",
            "complete_task",
            "fail_task",
            "reclaim_expired",
            "delete_finished",
        ),
        needs=("enqueue", "claim_task"),
        how="h",
        text=(
            "No task is lost: each acknowledged one is claimed, finished or still claimable at the end. No phantom: "
            "nothing is claimed that was not enqueued."
        ),
        why=(
            "A lost task leaves no error anywhere: an invoice is simply never sent. It may fall between two teams, "
            "such as a reclaim that writes a status which no claim looks for."
        ),
        look_at=(
            "each status that is written somewhere against each status that a claim reads",
            "a claim that takes more rows than it returns",
            "rows with no attempts left that are neither claimable nor failed",
        ),
        bugs=("coleifer/huey#253", "procrastinate-org/procrastinate#307", "riverqueue/river#1105"),
    ),
    Requirement(
        id="CLM-04",
        role=Role.ENGINE,
        grades=("claim_task", "claim_by"),
        needs=("enqueue", "leases", "shared schema"),
        how="xo",
        text=(
            "A claim records holder, `reserved_at`, and a deadline `lease_seconds` from now, and the returned task is "
            "the stored row."
        ),
        why=(
            "Maintenance reclaims by the stored deadline and observability shows the stored holder. A worker that "
            "works from a stale copy believes in a deadline which nobody else knows."
        ),
        look_at=(
            "a task object built from the row as it was before the UPDATE; use RETURNING or read again",
            "columns left over from the previous attempt",
            "the unit of `lease_seconds`, and the clock that 'now' comes from",
        ),
    ),
    Requirement(
        id="CLM-05",
        role=Role.ENGINE,
        grades=("claim_task", "claim_by", "fail_task", "reclaim_expired"),
        needs=("enqueue", "enqueue.max_attempts", "claim_task", "leases"),
        how="mc",
        text=(
            "Each claim counts one attempt, before the work starts: a task that kills its worker every time ends "
            "`failed` after `max_attempts` claims, never one more."
        ),
        why=(
            "A payload that exhausts the memory kills its worker before anything can be recorded. If attempts are "
            "counted at failure only, it takes down one worker after the other, for hours."
        ),
        look_at=(
            "`attempts = attempts + 1` in the claim itself, not in fail or complete",
            "`attempts < max_attempts` on every path that makes a row claimable again",
            "`<` against `<=`: with max_attempts=1 it runs exactly once",
            "rows with none left must become failed, not merely unclaimable",
        ),
        bugs=("Bogdanp/dramatiq#213", "graphile/worker#266"),
    ),
    Requirement(
        id="CLM-06",
        role=Role.ENGINE,
        grades=("claim_task", "claim_by"),
        needs=("enqueue",),
        how="c",
        text=(
            "A claim is atomic: death at any statement leaves the task queued, or leased with holder, deadline and "
            "attempt; nothing between."
        ),
        why=(
            "A worker may be killed at any point by a deployment. A task that is leased but has no deadline is never "
            "reclaimed by anybody; a person must find it and repair the row."
        ),
        look_at=(
            "status, holder, deadline and attempts written by one statement or in one transaction",
            "autocommit: without BEGIN each statement is a transaction of its own",
            "a second table (running tasks, ready marks) that is written in another transaction",
        ),
        bugs=("Bogdanp/dramatiq#431",),
    ),
    Requirement(
        id="CLM-07",
        role=Role.ENGINE,
        grades=("claim_task", "claim_by"),
        needs=("enqueue", "enqueue.compatibility", "capabilities"),
        how="m",
        text=(
            "Only a worker whose capabilities satisfy the task's compatibility (each key present and equal as JSON) "
            "gets it; others get a task they can do, if there is one."
        ),
        why=(
            "A task for a GPU on a machine without one fails until it is dead. And if a worker sees only the first "
            "row, one such task at the head keeps all workers idle while others wait behind it."
        ),
        look_at=(
            "`LIMIT 1` before the capabilities are compared",
            "a batch of candidates that may all be incompatible: go on behind it",
            "equality as JSON: 1 and true differ, 1 and 1.0 are the same number, key order is nothing",
            "an empty compatibility: every worker satisfies it",
        ),
    ),
    Requirement(
        id="CLM-08",
        role=Role.ENGINE,
        grades=("claim_task", "claim_by"),
        needs=("enqueue",),
        how="x",
        text=(
            "Empty or non-string worker id; None, text, NaN, infinity, zero or a negative number as lease: ValueError "
            "or TypeError, nothing claimed."
        ),
        why=(
            "A lease of NaN becomes a NULL deadline that is never over, so the task hangs for ever. A lease of zero "
            "is over at once, so the task runs twice."
        ),
        look_at=(
            "a check before the transaction starts, so that nothing is claimed",
            "`isfinite` and `> 0`: comparisons with NaN are false, `lease <= 0` lets it pass",
            "the type before the range: `None <= 0` raises an error that does not name the argument",
        ),
    ),
    Requirement(
        id="CLM-09",
        role=Role.ENGINE,
        grades=("claim_task", "claim_by"),
        needs=("enqueue",),
        how="ih",
        text=(
            "Under contention a claim returns a task, None, or (after the busy timeout) `QueueBusyError`; it never "
            "returns None while a claimable task was there throughout, unless `skip_locked` is promised."
        ),
        why=(
            "A worker that gets None goes to sleep. If None also means 'somebody was faster', workers sleep beside a "
            "full queue, and the more of them there are the slower it gets."
        ),
        look_at=(
            "an UPDATE that matched no row because another worker took it: try the next one",
            "`except OperationalError: return None`",
            "a lock error that came without waiting: a read transaction that turned into a write",
        ),
        bugs=("coleifer/huey#445",),
    ),
    Requirement(
        id="CLM-10",
        role=Role.ENGINE,
        grades=("claim_task", "claim_by"),
        needs=("enqueue",),
        how="i",
        text=(
            "Between taking the write lock and COMMIT a claim neither sleeps nor waits nor runs more than 20 "
            "statements, whatever the backlog."
        ),
        why=(
            "While one claim holds the write lock no enqueue, completion or renewal of any team gets through. A loop "
            "over the backlog inside it turns a long queue into a standing one."
        ),
        look_at=(
            "`time.sleep` and network calls inside `with db.transaction()`",
            "one UPDATE per row where one statement would do",
            "reclaiming all over leases one by one before the claim",
        ),
    ),
    Requirement(
        id="CLM-11",
        role=Role.ENGINE,
        grades=("claim_task", "claim_by"),
        needs=("enqueue", "shared schema"),
        how="xm",
        text=(
            "One bad row (payload or compatibility not JSON, times with fractions or an ISO `T`, NULLs, attempts "
            "already used up) never blocks the tasks behind it, and is never leased without being handed out; it may "
            "be dead-lettered."
        ),
        why=(
            "Teams insert rows with plain SQL, so a bad one comes some day. If the claim raises on it, the same row "
            "is first in line again on the next call, and the whole queue stands."
        ),
        look_at=(
            "a row that is leased first and decoded later: the exception leaves it leased to nobody",
            "SQL JSON functions, which raise on bad JSON in any row they touch, also one not chosen",
            "a comparison with NULL, which is neither true nor false",
        ),
    ),
    Requirement(
        id="CLM-12",
        role=Role.ENGINE,
        grades=("claim_many",),
        needs=("enqueue",),
        how="mix",
        text="A batch claim returns at most n, in the order of its strategy, and leases exactly what it returns.",
        why=(
            "A task that was leased but not returned has a holder who does not know of it: it waits out its whole "
            "lease and loses an attempt, every time."
        ),
        look_at=(
            "`UPDATE ... RETURNING`, which returns rows in any order: sort them again",
            "a filter in Python after the rows were leased",
            "n = 0, and n larger than the queue",
        ),
        bugs=("saurabhnanda/odd-jobs#115", "fazer-ai/agents#679"),
    ),
)
