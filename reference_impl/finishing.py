"""The engine's verbs for a task it holds: complete, fail, renew."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pytest_taskq.contract import Backoff

from . import checks
from .access import Access
from .weighted import DRAWS

if TYPE_CHECKING:
    from pytest_taskq.contract import Connection, Task

    _Parameters = dict[str, str | float | None]

# The attempt is new with every claim, the worker's name is not: a worker restarted under its name, or its second
# thread, must not finish the claim of the first. A lease merely over still counts while nobody took the task back.
_HELD = "id = :id AND status = 'leased' AND locked_by = :worker AND attempts = :attempt"
_RELEASED = """
    updated_at_utc = datetime('now'), reserved_at_utc = NULL, lease_until_utc = NULL, locked_by = NULL
"""
_COMPLETE = f"""
    UPDATE task_queue SET status = 'completed', finished_at_utc = datetime('now'), {_RELEASED} WHERE {_HELD}
"""
_RETRY = f"""
    UPDATE task_queue
    SET status = 'queued', ready = NULL, error_message = :error, run_after_utc = datetime('now', :delay), {_RELEASED}
    WHERE {_HELD} AND attempts < ifnull(max_attempts, 5)
"""
_GIVE_UP = f"""
    UPDATE task_queue
    SET status = 'failed', error_message = :error, finished_at_utc = datetime('now'), {_RELEASED}
    WHERE {_HELD}
"""
_RENEW = f"""
    UPDATE task_queue
    SET lease_until_utc = datetime('now', :lease), updated_at_utc = datetime('now')
    WHERE {_HELD}
"""
_BACKOFF = Backoff()


class Finishing(Access):
    """What the holder of a task does. Each call returns True only if it took effect, and else changes nothing."""

    _complete_sql: ClassVar = _COMPLETE
    _retry_sql: ClassVar = _RETRY
    _give_up_sql: ClassVar = _GIVE_UP
    _renew_sql: ClassVar = _RENEW

    def complete_task(self, task: Task, worker_id: str) -> bool:
        """Finish the task; True if this claim of it still held."""
        return self._changes_one(self._complete_sql, self._holder(task, worker_id))

    def fail_task(self, task: Task, worker_id: str, error: str, *, retry: bool = True) -> bool:
        """Record a failure and retry after the backoff, or give up; True if this claim of the task still held."""
        failure = {"error": self._error_text(error), "delay": self._backoff(task.attempts)}
        holder = self._holder(task, worker_id) | failure
        with self._write() as connection:
            requeued = retry and _changes_one(connection, self._retry_sql, holder)
            return requeued or _changes_one(connection, self._give_up_sql, holder)

    def renew_lease(self, task: Task, worker_id: str, lease_seconds: float) -> bool:
        """Move the deadline to ``lease_seconds`` from now; True if this claim of the task still held."""
        lease = self._later(checks.seconds("lease_seconds", lease_seconds, zero=False))
        return self._changes_one(self._renew_sql, self._holder(task, worker_id) | {"lease": lease})

    def _holder(self, task: Task, worker_id: object) -> _Parameters:
        """Return the fence's parameters; what cannot be a holder becomes NULL, which equals nothing."""
        named = isinstance(worker_id, str) and self._is_storable(worker_id)
        return {
            "id": checks.row_id(task.id),
            "attempt": checks.row_id(task.attempts),
            "worker": str(worker_id) if named else None,
        }

    def _backoff(self, attempt: int | None) -> str | float:
        return self._later(DRAWS.uniform(*_BACKOFF.window(attempt or 1)))


def _changes_one(connection: Connection, statement: str, parameters: _Parameters) -> bool:
    return connection.execute(statement, parameters).rowcount == 1
