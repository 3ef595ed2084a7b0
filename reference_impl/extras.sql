-- What the reference adds, so that a claim looks at the rows it serves and at no others. Nothing here is part of the
-- contract: `ready`, `weighted_lap` and `weighted_key` are hints which claims check and repair, so rows that other teams insert
-- or change with plain SQL are served alike. The columns are added in schema.py (ALTER TABLE knows no IF NOT EXISTS).
--
-- Whether a queued row is thought due: `coalesce(ready, run_after_utc <= created_at_utc, 0)`. A row that was due when it was
-- created is among the candidates at once, whoever inserted it, and one that was put off when it was created is not;
-- `ready` says 1 once such a row has come due, and 0 if a claim met a candidate that is not due after all.
--
-- Every statement that serves names its index (INDEXED BY), so that no plan depends on what ANALYZE found, and every index
-- begins with an equality. What each costs is in docs/benchmarks.md.

-- FIFO and LIFO, and what a weighted claim draws from: tasks without a key apart from those with one.
CREATE INDEX IF NOT EXISTS reference_by_age
    ON task_queue (weighted_lap > 0, id, priority)
    WHERE status = 'queued' AND coalesce(ready, run_after_utc <= created_at_utc, 0) = 1;

CREATE INDEX IF NOT EXISTS reference_by_priority
    ON task_queue (coalesce(ready, run_after_utc <= created_at_utc, 0), priority)
    WHERE status = 'queued' AND coalesce(ready, run_after_utc <= created_at_utc, 0) = 1;

-- Only tasks that have drawn a key are in it, so that who never claims by weight does not pay for it.
CREATE INDEX IF NOT EXISTS reference_by_weighted_key
    ON task_queue (weighted_lap > 0, weighted_lap, weighted_key)
    WHERE status = 'queued' AND coalesce(ready, run_after_utc <= created_at_utc, 0) = 1 AND weighted_lap > 0;

CREATE INDEX IF NOT EXISTS reference_waiting
    ON task_queue (ifnull(run_after_utc, ''))
    WHERE status = 'queued' AND coalesce(ready, run_after_utc <= created_at_utc, 0) <> 1;

CREATE INDEX IF NOT EXISTS reference_leased
    ON task_queue (lease_until_utc) WHERE status = 'leased';

-- Spelt as other teams spell it, whose cleanups it serves too.
CREATE INDEX IF NOT EXISTS reference_completed
    ON task_queue (finished_at_utc) WHERE status = 'completed';

-- For statistics: whatever is in none of the indexes above. Not spelt NOT IN: for three values SQLite fills a table of them
-- in every statement that writes, which took longer than two of these indexes.
DROP INDEX IF EXISTS reference_other;
CREATE INDEX IF NOT EXISTS reference_in_other_states
    ON task_queue (ifnull(status, ''))
    WHERE status IS NOT 'queued' AND status IS NOT 'leased' AND status IS NOT 'completed';

CREATE INDEX IF NOT EXISTS reference_logs_of_task
    ON task_logs (task_id);

-- One key, one task, for ever: a deleted task leaves its key behind, whoever deletes it.
CREATE TABLE IF NOT EXISTS reference_retired_keys (
    idempotency_key TEXT PRIMARY KEY,
    task_id INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TRIGGER IF NOT EXISTS reference_retire_key
AFTER DELETE ON task_queue WHEN OLD.idempotency_key IS NOT NULL
BEGIN
    INSERT OR IGNORE INTO reference_retired_keys VALUES (OLD.idempotency_key, OLD.id);
END;

-- The clock of the weighted race: the lap, and the key that was served last in it (see weighted.py).
CREATE TABLE IF NOT EXISTS reference_weighted_clock (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    lap INTEGER NOT NULL,
    served REAL NOT NULL
);
