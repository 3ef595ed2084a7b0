"""ENQ: what a producer may rely on when it hands in, cancels or looks at a task."""

from __future__ import annotations

from pytest_taskq.contract.methods import Role
from pytest_taskq.contract.requirement import Requirement

REQUIREMENTS: tuple[Requirement, ...] = (
    Requirement(
        id="ENQ-01",
        role=Role.CLIENT,
        grades=("enqueue",),
        needs=("claim_task",),
        how="xm",
        text=(
            "`enqueue` returns an id no other task has; the task is then `queued`, claimable, with the fields given "
            "and the defaults for the rest."
        ),
        why=(
            "The id is all a producer keeps. If it names another task, or the row was stored in a state that no claim "
            "looks at, the work is never done and nobody gets an error."
        ),
        look_at=(
            "the commit: is the row visible on another connection when `enqueue` returns?",
            "the status that is written against the status that the claim looks for",
            "`last_insert_rowid()` read after another statement or on another connection",
        ),
    ),
    Requirement(
        id="ENQ-02",
        role=Role.CLIENT,
        grades=("enqueue", "claim_task", "get_task"),
        needs=("enqueue", "claim_task"),
        how="xm",
        text=(
            "A JSON value with string keys comes back equal: any Unicode, NUL, integers past 2**53 (to 4,000 digits), "
            "floats, nesting to 50, empty, 1 MB. What JSON would silently change (other keys, tuples, bytes) is "
            "refused."
        ),
        why=(
            "An order number of 18 digits that went through a double comes back as another order. A key 1 that comes "
            "back as '1' is not found by the worker, and the producer never learns of it."
        ),
        look_at=(
            "where the JSON text is made and parsed: once each, with the standard json module",
            "a jsonb column or SQLite JSON function on the way, which rewrites numbers and refuses NUL",
            '`payload or {}`, which replaces 0, "", [] and false',
            "a check that the value equals `json.loads(json.dumps(value))`, types included",
        ),
        bugs=("kestra-io/kestra#10326",),
    ),
    Requirement(
        id="ENQ-03",
        role=Role.CLIENT,
        grades=("enqueue",),
        needs=("claim_task",),
        how="x",
        text=(
            "Refused with ValueError or TypeError naming it, nothing stored: a value JSON cannot hold, NaN, "
            "infinities; empty or non-string type; None, text, NaN, infinity or a negative number as delay; "
            "`max_attempts` < 1 or not an integer; priority not an integer."
        ),
        why=(
            "A bad value costs least at the producer, who can see where it comes from. Stored, it becomes a row that "
            "is never due, never retried or that breaks every worker that claims it."
        ),
        look_at=(
            "`json.dumps(..., allow_nan=False)`",
            "a comparison with NaN: it is always false, so `delay < 0` lets it pass; ask `isfinite`",
            "`isinstance(True, int)` is true: a flag passes for a priority",
            "checks that come before the first statement, so that nothing is stored",
        ),
    ),
    Requirement(
        id="ENQ-04",
        role=Role.CLIENT,
        grades=("enqueue", "claim_task", "fail_task"),
        needs=("enqueue", "claim_task"),
        how="m",
        text=(
            "Text is data: quotes, SQL and control characters in type, worker, key or error change nothing but that "
            "field (NUL in them: stored or refused)."
        ),
        why=(
            "A worker named after a host or an error text with an apostrophe is an ordinary day. If it ends up inside "
            "the SQL, one task's failure message can rewrite or delete the tasks of every other team."
        ),
        look_at=(
            "f-strings, `%` and `+` that build SQL from values; use parameters",
            "LIKE patterns with an unescaped `%` or `_`",
            "text that is cut at NUL on the way in or out",
        ),
    ),
    Requirement(
        id="ENQ-05",
        role=Role.CLIENT,
        grades=("enqueue", "delete_finished"),
        needs=("enqueue", "enqueue.idempotency_key"),
        how="mih",
        text=(
            "One idempotency key, one task within `key_scope`: every caller gets the same id, no exception, also when "
            "they race; the first payload stays."
        ),
        why=(
            "The key is for the producer that retries after a timeout. If two racing calls both store a row the "
            "customer is charged twice; if the loser gets an exception it retries for ever."
        ),
        look_at=(
            "SELECT, then INSERT: two callers both find nothing; let the unique index decide",
            "`ON CONFLICT DO NOTHING RETURNING id`, which returns no row to the loser: read the winner's",
            "an upsert that overwrites the first payload",
            "with key_scope='forever', what `delete_finished` does to the key along with the row",
        ),
        bugs=("rails/solid_queue#224",),
    ),
    Requirement(
        id="ENQ-06",
        role=Role.CLIENT,
        grades=("enqueue", "claim_task", "claim_by"),
        needs=("enqueue", "enqueue.delay_seconds", "claim_task"),
        how="m",
        text=("A delayed task is never claimable before its time, and is claimable within the precision after it."),
        why=(
            "A reminder that goes out a second before the event it waits for was committed finds nothing. One that "
            "compares as text with another format may sleep until the next day."
        ),
        look_at=(
            "times compared as text: `2026-01-01T10:00` sorts after every `2026-01-01 ...`",
            "a delay that is cut to whole seconds instead of rounded up",
            "the worker's clock in one place and the database's in the other",
            "`<` where `<=` is meant: due is `run_after <= now`",
        ),
        bugs=("celery/kombu#337",),
    ),
    Requirement(
        id="ENQ-07",
        role=Role.CLIENT,
        grades=("enqueue_in",),
        how="i",
        text=(
            "Inside the caller's transaction an enqueue becomes visible with the commit and vanishes with the "
            "rollback; it neither commits nor rolls back the caller's work."
        ),
        why=(
            "It exists so that 'order saved' and 'mail queued' happen together. If the enqueue commits on its own, an "
            "order that was rolled back still sends its mail."
        ),
        look_at=(
            "a statement that is run on `self.db` instead of the connection given",
            "`with connection:`, which commits at its end",
            "a key conflict that aborts the caller's whole transaction (PostgreSQL: use a savepoint)",
        ),
        bugs=("rails/solid_queue#224",),
    ),
    Requirement(
        id="ENQ-08",
        role=Role.CLIENT,
        grades=("enqueue",),
        needs=("claim_task",),
        how="ch",
        text=(
            "An acknowledged enqueue survives the death of the process right after; one that was not is wholly there "
            "or wholly absent."
        ),
        why=(
            "The producer answers its own caller as soon as it has the id. If the row is still in a buffer when the "
            "process dies, the task is gone and everybody believes it was accepted."
        ),
        look_at=(
            "the id that is returned before COMMIT has returned",
            "batching or a background writer between the call and the database",
            "a task that is spread over two transactions (row, then ready mark)",
        ),
    ),
    Requirement(
        id="ENQ-09",
        role=Role.CLIENT,
        grades=("enqueue",),
        needs=("claim_task",),
        how="h",
        text="With N writers nothing is lost or duplicated, and no lock error comes before the busy timeout.",
        why=(
            "Producers run in web requests. A lock error after a few milliseconds becomes a failed request; a retry "
            "after an error that came behind the COMMIT becomes a second task."
        ),
        look_at=(
            "a busy timeout on every connection, and `BEGIN IMMEDIATE`, without which it is not waited for",
            "a retry loop around more than the failed statement: did the first try commit?",
            "ids made by `SELECT max(id) + 1`",
        ),
        bugs=("rails/solid_queue#309", "coleifer/huey#445"),
    ),
    Requirement(
        id="ENQ-10",
        role=Role.CLIENT,
        grades=("cancel_task", "claim_task"),
        needs=("enqueue", "cancel_task", "claim_task"),
        how="mi",
        text=(
            "`cancel_task` returns True for exactly one caller and only while the task is queued; a cancelled task is "
            "never claimed; against a racing claim exactly one wins."
        ),
        why=(
            "True means 'it will not run'; the caller refunds the customer on it. If a worker claimed the task in the "
            "same moment, the customer is refunded and served."
        ),
        look_at=(
            "`UPDATE ... WHERE id = ? AND status = 'queued'`, and the result from its row count",
            "a status that is read first and written later",
            "the claim's guard: it must not take a row that was cancelled after it was selected",
        ),
        bugs=("zorrobyte/asset-studio#4",),
    ),
    Requirement(
        id="ENQ-11",
        role=Role.CLIENT,
        grades=("get_task",),
        needs=("enqueue",),
        how="m",
        text="`get_task` shows the task as it is, None for an unknown id.",
        why=(
            "Dashboards, support and the producers themselves decide by what it shows. A cached or half-filled answer "
            "sends people to look for a fault in the wrong team."
        ),
        look_at=(
            "a read inside an old transaction, which shows an old snapshot",
            "columns that the query leaves out",
            "ids of another type: '7' and 7, negative or huge ones",
        ),
    ),
    Requirement(
        id="ENQ-12",
        role=Role.CLIENT,
        grades=("enqueue", "claim_task", "complete_task", "cancel_task"),
        needs=("enqueue", "shared schema"),
        how="x",
        text="Timestamps are UTC whatever the process's time zone.",
        why=(
            "A producer in Tokyo and a worker in UTC share the table. Local time in one column makes a lease nine "
            "hours long, or over before it began."
        ),
        look_at=(
            "`datetime.now()` and `datetime.utcnow()`; take the time from the database",
            "`datetime('now', 'localtime')` in SQL",
            "`.timestamp()` of a naive datetime, which reads it as local time",
        ),
        bugs=("agronholm/apscheduler#87",),
    ),
    Requirement(
        id="ENQ-13",
        role=Role.CLIENT,
        grades=("enqueue_many",),
        needs=("enqueue", "claim_task"),
        how="xmi",
        text=("A batch equals its single calls item by item: all or nothing, ids in the order given, no default lost."),
        why=(
            "The batch is usually a second INSERT, written later. A default that was forgotten there makes imported "
            "tasks wait for ever, and ids in another order tie results to the wrong records."
        ),
        look_at=(
            "defaults that the single call sets in Python and the batch does not",
            "the order of `RETURNING`, which SQL does not promise",
            "an invalid item in the middle: were the ones before it stored?",
        ),
        bugs=("riverqueue/river#149", "riverqueue/river#504"),
    ),
)
