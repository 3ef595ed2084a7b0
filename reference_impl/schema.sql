-- The contract's tables, and nothing else: teams write SQL against these columns. Times are UTC text of whole seconds.

CREATE TABLE IF NOT EXISTS task_queue (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- AUTOINCREMENT: the id of a deleted task is never given again
    type TEXT NOT NULL,
    priority INTEGER DEFAULT 100,
    payload TEXT NOT NULL,
    compatibility TEXT DEFAULT '{}',
    status TEXT DEFAULT 'queued',
    attempts INTEGER DEFAULT 0,
    max_attempts INTEGER DEFAULT 5,
    run_after_utc TEXT DEFAULT (datetime('now')),
    reserved_at_utc TEXT,
    lease_until_utc TEXT,
    locked_by TEXT,
    processing_started_utc TEXT,
    finished_at_utc TEXT,
    error_message TEXT,
    idempotency_key TEXT,
    created_at_utc TEXT DEFAULT (datetime('now')),
    updated_at_utc TEXT DEFAULT (datetime('now'))
);

CREATE UNIQUE INDEX IF NOT EXISTS task_queue_idempotency_key
    ON task_queue (idempotency_key) WHERE idempotency_key IS NOT NULL;

CREATE TABLE IF NOT EXISTS workers (
    worker_id TEXT PRIMARY KEY,
    capabilities TEXT DEFAULT '{}',
    heartbeat_utc TEXT DEFAULT (datetime('now'))
);

CREATE TABLE IF NOT EXISTS task_logs (
    log_id INTEGER PRIMARY KEY,
    task_id INTEGER REFERENCES task_queue (id) ON DELETE CASCADE,
    at_utc TEXT DEFAULT (datetime('now')),
    level TEXT,
    message TEXT,
    details TEXT
);
