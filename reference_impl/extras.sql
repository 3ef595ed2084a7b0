-- What the reference adds, so that a claim looks at the rows it serves and at no others. Nothing here is part of the
-- contract: `ready`, `weighted_lap` and `weighted_key` are hints which claims check and repair, so rows that other teams insert
-- or change with plain SQL are served alike. The columns are added in schema.py (ALTER TABLE knows no IF NOT EXISTS).
--
-- The indexes begin with an equality (`ready`) and the order of submission is spelt `id + 0`: with these shapes SQLite
-- picks the index whatever ANALYZE found, where `ORDER BY id` alone turns into a scan of a table that is mostly queued.

CREATE INDEX IF NOT EXISTS reference_by_age
    ON task_queue (ready, id + 0) WHERE status = 'queued' AND ready = 1;

CREATE INDEX IF NOT EXISTS reference_by_priority
    ON task_queue (ready, priority) WHERE status = 'queued' AND ready = 1;

CREATE INDEX IF NOT EXISTS reference_by_weighted_key
    ON task_queue (ready, weighted_lap, weighted_key) WHERE status = 'queued' AND ready = 1;

CREATE INDEX IF NOT EXISTS reference_waiting
    ON task_queue (ifnull(run_after_utc, '')) WHERE status = 'queued' AND ready = 0;

CREATE INDEX IF NOT EXISTS reference_leased
    ON task_queue (lease_until_utc) WHERE status = 'leased';

CREATE INDEX IF NOT EXISTS reference_completed
    ON task_queue (finished_at_utc) WHERE status = 'completed';

-- Statistics read this index instead of every payload; no other query can mistake the expression for its own.
CREATE INDEX IF NOT EXISTS reference_status
    ON task_queue (ifnull(status, ''));

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

INSERT OR IGNORE INTO reference_weighted_clock VALUES (1, 1, 0.0);

-- Writing many keys at once through a view looks each task up by id; UPDATE ... FROM leaves the join order to the
-- planner, which after ANALYZE on a small table scans all tasks once per key.
CREATE VIEW IF NOT EXISTS reference_drawn_keys AS
    SELECT id AS task_id, weighted_lap, weighted_key FROM task_queue;

CREATE TRIGGER IF NOT EXISTS reference_draw_key
INSTEAD OF INSERT ON reference_drawn_keys
BEGIN
    UPDATE task_queue SET weighted_lap = NEW.weighted_lap, weighted_key = NEW.weighted_key WHERE id = NEW.task_id;
END;
