"""The statement that takes back asks what is over: its worker may have finished since."""

from __future__ import annotations

from pytest_taskq import QueueAdapter

OVER = "status = 'leased' AND lease_until_utc <= datetime('now')"
TAKE_BACK = (
    "UPDATE task_queue SET status = iif(attempts < max_attempts, 'queued', 'failed'), "
    "finished_at_utc = iif(attempts < max_attempts, NULL, datetime('now')), "
    "locked_by = NULL, lease_until_utc = NULL, reserved_at_utc = NULL "
)


class Broken(QueueAdapter):
    def reclaim_expired(self) -> int:
        with self.db.connection() as connection:
            over = connection.execute(f"SELECT id FROM task_queue WHERE {OVER}").fetchall()
        with self.db.transaction() as connection:
            for row in over:
                connection.execute(f"{TAKE_BACK}WHERE id = ?", (row["id"],))
        return len(over)


class Corrected(QueueAdapter):
    def reclaim_expired(self) -> int:
        with self.db.transaction() as connection:
            return connection.execute(f"{TAKE_BACK}WHERE {OVER}").rowcount
