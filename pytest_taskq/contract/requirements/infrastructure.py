"""INF: the database that every other team opens."""

from __future__ import annotations

from pytest_taskq.contract.methods import Role
from pytest_taskq.contract.requirement import Requirement

REQUIREMENTS: tuple[Requirement, ...] = (
    Requirement(
        id="INF-01",
        role=Role.INFRASTRUCTURE,
        grades=("open_database",),
        how="x",
        text=("Configuration is valid: no unknown key, no value out of range; the message names key, value and range."),
        why=(
            "A misspelt `busy_timout=30` that is silently ignored leaves the default in force, and the first busy "
            "hour shows lock errors that nobody can explain from the configuration file."
        ),
        look_at=(
            "`**settings` that are passed on or dropped without a check of their names",
            "range checks that let NaN, a boolean or a number in a string through",
            "the error text: it must hold the key, the value it got and the range it wants",
        ),
    ),
    Requirement(
        id="INF-02",
        role=Role.INFRASTRUCTURE,
        grades=("open_database",),
        how="x",
        text="The database opens, answers, and passes its integrity check.",
        why=(
            "Every team starts from this object. If it hands out a handle on a damaged or unreadable file, the damage "
            "is reported later as a bug of whichever team touched it first."
        ),
        look_at=(
            "`PRAGMA integrity_check` and `PRAGMA foreign_key_check` on the file that was opened",
            "whether the DSN became the path you think: an absolute path has four slashes",
            "a `-wal` or `-shm` file left over from a copy or a restore",
        ),
    ),
    Requirement(
        id="INF-03",
        role=Role.INFRASTRUCTURE,
        grades=("open_database",),
        how="x",
        text=(
            "Tables, columns, types, defaults and constraints are those of the schema version; missing and different "
            "ones are named; a team's extra index or column is noted, not failed."
        ),
        why=(
            "Five teams write SQL against these columns. A default that moved (`max_attempts` 3 instead of 5) changes "
            "how often every task of every team is retried, and no query fails."
        ),
        look_at=(
            "`PRAGMA table_info(task_queue)` beside the table in the guide",
            "`INSERT INTO task_queue (type, payload)`: does the database fill in the rest?",
            "a migration that ran on new databases only",
        ),
    ),
    Requirement(
        id="INF-04",
        role=Role.INFRASTRUCTURE,
        grades=("open_database",),
        how="x",
        text=(
            "Connections run with WAL, synchronous NORMAL or stronger, a busy timeout, foreign keys on (PostgreSQL: "
            "isolation, timeouts). Judged on the connections it opens; of a file alone only what the file keeps."
        ),
        why=(
            "These settings belong to the connection, not to the file. One connection opened without them blocks "
            "readers behind a writer, fails at once when the file is busy, or leaves log rows without their task."
        ),
        look_at=(
            "that the pragmas run on every connection, also those of other threads and those opened again",
            "`PRAGMA foreign_keys` inside a transaction: it has no effect there",
            "the switch to WAL itself, which needs the lock and so its own busy handling",
        ),
        bugs=("coleifer/huey#445", "rails/solid_queue#133"),
    ),
    Requirement(
        id="INF-05",
        role=Role.INFRASTRUCTURE,
        grades=("open_database", "get_task", "claim_task"),
        needs=("enqueue", "shared schema"),
        how="xm",
        text=(
            "Rows and data models round-trip, also rows with NULLs, bad JSON and unknown columns: the value or a clear "
            "error, never a wrong value."
        ),
        why=(
            "Teams add columns and write rows by hand. A model that turns a NULL into 0 or the text 'None', or that "
            "breaks on a column it does not know, makes one team's migration another team's outage."
        ),
        look_at=(
            "positional access (`row[3]`) where another column may come in between",
            '`or ""` and `or 0`, which turn NULL, 0 and the empty text into one another',
            "`except ValueError: return {}` around the JSON decoding",
        ),
    ),
    Requirement(
        id="INF-06",
        role=Role.INFRASTRUCTURE,
        grades=("open_database",),
        how="i",
        text=(
            "A transaction is all or nothing and invisible to others until it commits; on SQLite a write transaction "
            "takes its lock at the start."
        ),
        why=(
            "With a deferred BEGIN two claimers read the same free task, and the second one fails on its first write "
            "without waiting for the busy timeout, or runs the task a second time."
        ),
        look_at=(
            "`BEGIN IMMEDIATE` in `transaction()`; Python's `isolation_level` begins only at the first write",
            "`executescript` and DDL, which may commit what is open",
            "the rollback when the block raises, also for KeyboardInterrupt",
        ),
        bugs=("coleifer/huey#123",),
    ),
    Requirement(
        id="INF-07",
        role=Role.INFRASTRUCTURE,
        grades=("claim_task", "claim_by", "complete_task", "reclaim_expired", "delete_finished"),
        needs=("shared schema",),
        how="p",
        text="Each hot query uses an index: no scan of the whole task table (statistics exempt).",
        why=(
            "A scan is invisible in a test with ten rows. With a million finished ones each claim holds the write lock "
            "for a second, and all workers of all teams wait in line behind it."
        ),
        look_at=(
            "`EXPLAIN QUERY PLAN`: SCAN task_queue where SEARCH ... USING INDEX should stand",
            "a function around an indexed column: `datetime(run_after_utc) <= ...`",
            "OR across columns, or `status != 'completed'`, which no index serves",
            "`ORDER BY` columns that the index does not hold in that order",
        ),
    ),
    Requirement(
        id="INF-08",
        role=Role.INFRASTRUCTURE,
        grades=("open_database",),
        how="xi",
        text=(
            "Errors map to `QueueBusyError`, `QueueSchemaError`, `QueueDatabaseError`; the cause is chained; nothing "
            "is swallowed."
        ),
        why=(
            "Workers retry when the queue is busy and stop when the schema is wrong. If both arrive as the driver's "
            "error, or not at all, a worker retries for ever against a missing table or drops a task it could not save."
        ),
        look_at=(
            "`raise ... from error` at each place that translates",
            "errors from BEGIN and COMMIT, not only from the statements between them",
            "`except Exception: pass` around the rollback that hides the first error",
        ),
    ),
    Requirement(
        id="INF-09",
        role=Role.INFRASTRUCTURE,
        grades=("open_database",),
        how="h",
        text="N processes that open a fresh database at once all succeed, and the schema is created once.",
        why=(
            "A deployment starts all workers in the same second. If two of them create the tables at once, one dies "
            "with 'table already exists', or a half-built schema stays behind for good."
        ),
        look_at=(
            "`CREATE TABLE IF NOT EXISTS` inside one write transaction, schema version included",
            "busy handling around the first open and the switch to WAL",
            "on PostgreSQL, an advisory lock around the creation",
        ),
        bugs=("timgit/pg-boss#133",),
    ),
    Requirement(
        id="INF-10",
        role=Role.INFRASTRUCTURE,
        grades=("open_database",),
        how="h",
        text=(
            "One database object may be used from many threads: no thread's transaction is committed, rolled back or "
            "mixed by another's; a fork is safe or refused."
        ),
        why=(
            "A worker heartbeats from a second thread. If both share a connection, the heartbeat's COMMIT makes a half "
            "finished completion permanent, and its ROLLBACK undoes one that was already acknowledged."
        ),
        look_at=(
            "one connection per thread (`threading.local`) or one lock held for the whole transaction",
            "`check_same_thread=False` without such a lock",
            "connections opened before `os.fork()`: compare `os.getpid()` at use",
        ),
    ),
)
