"""How often-read requirements are broken and kept: two ways to write one method, each graded by the tests."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """A method of an adapter as it breaks a requirement, and as it keeps it; ``says`` is what makes the difference."""

    says: str
    broken: str
    corrected: str


_COMPLETED = """\
def complete_task(self, task, worker_id):
    with self.db.transaction() as connection:
        return connection.execute(
            "UPDATE task_queue SET status = 'completed', finished_at_utc = datetime('now'), "
            "locked_by = NULL, lease_until_utc = NULL, reserved_at_utc = NULL "
            "WHERE {where}",
            {values},
        ).rowcount == 1
"""
_HOLDER = "id = ? AND status = 'leased' AND locked_by = ? AND attempts = ?"
_FENCED = _COMPLETED.format(where=_HOLDER, values="(task.id, worker_id, task.attempts)")

_RENEWED = """\
def renew_lease(self, task, worker_id, lease_seconds):
    until = f"+{{math.ceil(lease_seconds)}} seconds"
    with self.db.transaction() as connection:
        return connection.execute(
            "UPDATE task_queue SET lease_until_utc = max(lease_until_utc, datetime('now', ?)) "
            "WHERE {where}",
            {values},
        ).rowcount == 1
"""
_CANCELLED = """\
def cancel_task(self, task_id):
    with self.db.transaction() as connection:
        return connection.execute(
            "UPDATE task_queue SET status = 'cancelled', finished_at_utc = datetime('now') "
            "WHERE {where}",
            (task_id,),
        ).rowcount == 1
"""
_COUNTED = """\
def queue_stats(self):
    statuses = ("queued", "leased", "completed", "failed", "cancelled")
    with self.db.connection() as connection:
{counts}
"""
_DELETED = """\
def delete_finished(self, older_than_seconds):
    before = f"-{{math.ceil(older_than_seconds)}} seconds"
    with self.db.transaction() as connection:
        return connection.execute(
            "DELETE FROM task_queue "
            "WHERE {where}finished_at_utc < datetime('now', ?)",
            (before,),
        ).rowcount
"""

_LEASED = """\
            "UPDATE task_queue SET status = 'leased', {counted}locked_by = ?, "
            "reserved_at_utc = datetime('now'), lease_until_utc = datetime('now', ?) "
"""
_CLAIMED = (
    """\
def claim_task(self, worker_id, capabilities, lease_seconds):
    until = f"+{{math.ceil(lease_seconds)}} seconds"
    with self.db.transaction() as connection:
        row = connection.execute(
"""
    + _LEASED
    + """\
            "WHERE id = (SELECT id FROM task_queue "
            "WHERE {due} "
            "ORDER BY id LIMIT 1) RETURNING *",
            (worker_id, until),
        ).fetchone()
    return Task.from_dict(row) if row else None
"""
)
_DUE = "status = 'queued' AND run_after_utc <= datetime('now')"
_COUNTED_ONCE = "attempts = attempts + 1, "
_CLAIMED_AT_ONCE = _CLAIMED.format(counted=_COUNTED_ONCE, due=_DUE)

_LOOKED_AT_FIRST = (
    """\
def claim_task(self, worker_id, capabilities, lease_seconds):
    until = f"+{{math.ceil(lease_seconds)}} seconds"
    find = (
        "SELECT * FROM task_queue "
        "WHERE {due} ORDER BY id LIMIT 1"
    )
    with self.db.{first}() as connection:
        row = connection.execute(find).fetchone()
{between}        connection.execute(
"""
    + _LEASED
    + """\
            "WHERE id = ?",
            (worker_id, until, row["id"]),
        )
    return Task.from_dict(row)
"""
)
_NOTHING_DUE = """\
{indent}if row is None:
{indent}    return None
"""
_KEYED = """\
promises = Promises(not_offered={{"delete_finished": "a key would go with its task"}})

def enqueue(self, type, payload, *, idempotency_key=None, **options):
    values = (type, json.dumps(payload), idempotency_key)
    insert = "INSERT INTO task_queue (type, payload, idempotency_key) VALUES (?, ?, ?) "
{stored}
"""
_DELAYED = """\
def enqueue(self, type, payload, *, delay_seconds=0.0, **options):
    delay = f"+{{delay_seconds}} seconds"
    with self.db.transaction() as connection:
        return connection.execute(
            "INSERT INTO task_queue (type, payload, run_after_utc) "
            "VALUES (?, ?, datetime('now', ?{rounded})) RETURNING id",
            (type, json.dumps(payload), delay),
        ).fetchone()[0]
"""
_RECLAIMED = """\
def reclaim_expired(self):
    with self.db.transaction() as connection:
        return connection.execute(
            "UPDATE task_queue SET {status}, "
            "locked_by = NULL, lease_until_utc = NULL, reserved_at_utc = NULL "
            "WHERE status = 'leased' AND {over}"
        ).rowcount
"""
_OVER = "lease_until_utc <= datetime('now')"
_BY_ATTEMPTS = """\
status = iif(attempts < max_attempts, 'queued', 'failed'), "
            "finished_at_utc = iif(attempts < max_attempts, NULL, datetime('now'))\
"""
_ENDED_LEASES = _RECLAIMED.format(status=_BY_ATTEMPTS, over=_OVER)

_FAILED = """\
def fail_task(self, task, worker_id, error, *, retry=True):
    delay = f"+{{{delay}}} seconds"
    with self.db.transaction() as connection:
        return connection.execute(
            "UPDATE task_queue SET error_message = ?1, "
            "status = iif(?2 AND attempts < max_attempts, 'queued', 'failed'), "
            "finished_at_utc = iif(?2 AND attempts < max_attempts, NULL, datetime('now')), "
            "run_after_utc = datetime('now', ?3, '+0.999 seconds'), "
            "locked_by = NULL, lease_until_utc = NULL, reserved_at_utc = NULL "
            "WHERE id = ?4 AND status = 'leased' AND locked_by = ?5 AND attempts = ?6",
            (error, retry, delay, task.id, worker_id, task.attempts),
        ).rowcount == 1
"""
_ORDERED = (
    """\
def claim_by(self, strategy, worker_id, capabilities, lease_seconds):
    if strategy != "{strategy}":
        return super().claim_by(strategy, worker_id, capabilities, lease_seconds)
    until = f"+{{math.ceil(lease_seconds)}} seconds"
    with self.db.transaction() as connection:
        row = connection.execute(
"""
    + _LEASED
    + """\
            "WHERE id = (SELECT id FROM task_queue "
            "WHERE {due} "
            "ORDER BY {order} LIMIT 1) RETURNING *",
            (worker_id, until),
        ).fetchone()
    return Task.from_dict(row) if row else None
"""
)
_STATISTICS = """\
def queue_stats(self):
    with self.db.connection() as connection:
        count = (
            "SELECT status, count(*) FROM task_queue "
            "{where}GROUP BY status"
        )
        return {{row[0]: row[1] for row in connection.execute(count).fetchall()}}
"""
_SHOWN = """\
def get_task(self, task_id):
    with self.db.connection() as connection:
        row = connection.execute("SELECT * FROM task_queue WHERE id = ?", (task_id,)).fetchone()
    return {returned}
"""
_IN_BATCHES = """\
def delete_finished(self, older_than_seconds):
    before, deleted = f"-{math.ceil(older_than_seconds)} seconds", 0
    while True:
        with self.db.transaction() as connection:
            batch = connection.execute(
                "DELETE FROM task_queue WHERE id IN (SELECT id FROM task_queue "
                "WHERE status = 'completed' AND finished_at_utc < datetime('now', ?) "
                "LIMIT 1000)",
                (before,),
            ).rowcount
        deleted += batch
        if batch < 1000:
            return deleted
"""

SNIPPETS: dict[str, Snippet] = {
    "FIN-02": Snippet(
        says="the holder, status and attempt stand in the WHERE of the write itself",
        broken=_COMPLETED.format(where="id = ?", values="(task.id,)"),
        corrected=_FENCED,
    ),
    "FIN-03": Snippet(
        says="a second completion finds the task no longer leased",
        broken=_COMPLETED.format(where="id = ?", values="(task.id,)"),
        corrected=_FENCED,
    ),
    "LSE-03": Snippet(
        says="only the attempt that holds the lease may renew it",
        broken=_RENEWED.format(where="id = ?", values="(until, task.id)"),
        corrected=_RENEWED.format(where=_HOLDER, values="(until, task.id, worker_id, task.attempts)"),
    ),
    "ENQ-10": Snippet(
        says="only a task that still is queued may be cancelled",
        broken=_CANCELLED.format(where="id = ?"),
        corrected=_CANCELLED.format(where="id = ? AND status = 'queued'"),
    ),
    "OBS-02": Snippet(
        says="one statement sees one moment; five see five",
        broken=_COUNTED.format(
            counts="""\
        count = "SELECT count(*) FROM task_queue WHERE status = ?"
        return {one: connection.execute(count, (one,)).fetchone()[0] for one in statuses}"""
        ),
        corrected=_COUNTED.format(
            counts="""\
        count = "SELECT status, count(*) FROM task_queue GROUP BY status"
        counted = {row[0]: row[1] for row in connection.execute(count).fetchall()}
        return {status: counted.get(status, 0) for status in statuses}"""
        ),
    ),
    "MNT-01": Snippet(
        says="what may go is named; a finished dead letter is evidence",
        broken=_DELETED.format(where=""),
        corrected=_DELETED.format(where="status = 'completed' AND "),
    ),
    "CLM-02": Snippet(
        says="one statement finds the task and takes it, so that nobody comes in between",
        broken=_LOOKED_AT_FIRST.format(
            first="connection",
            between=_NOTHING_DUE.format(indent=" " * 4) + "    with self.db.transaction() as connection:\n",
            counted=_COUNTED_ONCE,
            due=_DUE,
        ),
        corrected=_CLAIMED_AT_ONCE,
    ),
    "CLM-04": Snippet(
        says="what is returned is the row after the claim, not the one it was found as",
        broken=_LOOKED_AT_FIRST.format(
            first="transaction", between=_NOTHING_DUE.format(indent=" " * 8), counted=_COUNTED_ONCE, due=_DUE
        ),
        corrected=_CLAIMED_AT_ONCE,
    ),
    "CLM-05": Snippet(
        says="the attempt is counted by the claim, since a worker that dies counts nothing",
        broken=_CLAIMED.format(counted="", due=_DUE),
        corrected=_CLAIMED_AT_ONCE,
    ),
    "ENQ-05": Snippet(
        says="the unique index decides who was first, in the statement that stores",
        broken=_KEYED.format(
            stored="""\
    with self.db.connection() as connection:
        find = "SELECT id FROM task_queue WHERE idempotency_key = ?"
        row = connection.execute(find, (idempotency_key,)).fetchone()
    if row is not None:
        return row["id"]
    with self.db.transaction() as connection:
        return connection.execute(insert + "RETURNING id", values).fetchone()[0]"""
        ),
        corrected=_KEYED.format(
            stored="""\
    first = (
        "ON CONFLICT (idempotency_key) WHERE idempotency_key IS NOT NULL "
        "DO UPDATE SET idempotency_key = excluded.idempotency_key RETURNING id"
    )
    with self.db.transaction() as connection:
        return connection.execute(insert + first, values).fetchone()[0]"""
        ),
    ),
    "ENQ-06": Snippet(
        says="a stored second is cut, so that the moment is rounded up first",
        broken=_DELAYED.format(rounded=""),
        corrected=_DELAYED.format(rounded=", '+0.999 seconds'"),
    ),
    "ENQ-11": Snippet(
        says="an id that nobody has is an answer, not an error",
        broken=_SHOWN.format(returned="Task.from_dict(row)"),
        corrected=_SHOWN.format(returned="Task.from_dict(row) if row else None"),
    ),
    "LSE-01": Snippet(
        says="what is not finished may be somebody's; only a queued task is to be had",
        broken=_CLAIMED.format(
            counted=_COUNTED_ONCE, due="finished_at_utc IS NULL AND run_after_utc <= datetime('now')"
        ),
        corrected=_CLAIMED_AT_ONCE,
    ),
    "MNT-05": Snippet(
        says="a task whose attempts are used up is failed, not queued for ever",
        broken=_RECLAIMED.format(status="status = 'queued'", over=_OVER),
        corrected=_ENDED_LEASES,
    ),
    "MNT-03": Snippet(
        says="many short transactions, between which others write",
        broken=_DELETED.format(where="status = 'completed' AND "),
        corrected=_IN_BATCHES,
    ),
    "FIN-01": Snippet(
        says="when a task was finished is stored with its status",
        broken=_FENCED.replace(", finished_at_utc = datetime('now')", ""),
        corrected=_FENCED,
    ),
    "FIN-05": Snippet(
        says="the first failure waits the initial delay, and no power is taken that nobody waits for",
        broken=_FAILED.format(delay="random.uniform(0.9, 1) * min(300, 2**task.attempts)"),
        corrected=_FAILED.format(delay="random.uniform(0.9, 1) * min(300, 2 ** min(task.attempts - 1, 9))"),
    ),
    "SCH-01": Snippet(
        says="the oldest has the smallest id; when it is due changes with each retry",
        broken=_ORDERED.format(strategy="fifo", counted=_COUNTED_ONCE, due=_DUE, order="run_after_utc, id"),
        corrected=_ORDERED.format(strategy="fifo", counted=_COUNTED_ONCE, due=_DUE, order="id"),
    ),
    "SCH-03": Snippet(
        says="a lower number is served first, and of equal ones the oldest",
        broken=_ORDERED.format(strategy="priority", counted=_COUNTED_ONCE, due=_DUE, order="priority DESC, id"),
        corrected=_ORDERED.format(strategy="priority", counted=_COUNTED_ONCE, due=_DUE, order="priority, id"),
    ),
    "OBS-01": Snippet(
        says="a task that is not due yet is queued as well",
        broken=_STATISTICS.format(where="WHERE run_after_utc <= datetime('now') "),
        corrected=_STATISTICS.format(where=""),
    ),
}
