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
}
