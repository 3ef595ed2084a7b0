"""An engine team's part: claim, complete, fail, renew, on the shared database object."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any, ClassVar

from mutant_queues.client import number, text
from mutant_queues.registry import twin
from mutant_queues.times import WholeSeconds
from pytest_taskq import Backoff, Promises, QueueAdapter
from pytest_taskq.reference_impl import Task

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_taskq.contract import Connection

INDEXES = (
    "CREATE INDEX IF NOT EXISTS engine_due ON task_queue (status, run_after_utc, id)",
    "CREATE INDEX IF NOT EXISTS engine_leases ON task_queue (status, lease_until_utc)",
)


# As bytes: text that is not UTF-8 makes the driver raise, and the row would stop every claim.
TEXTS = ("type", "payload", "error_message", "idempotency_key", "created_at_utc", "updated_at_utc")
_ALL_TEXTS = " || ' ' || ".join(f"ifnull({one}, '')" for one in TEXTS)
READ = f"CAST(compatibility AS BLOB) AS needs, CAST({_ALL_TEXTS} AS BLOB)"


def readable(texts: bytes) -> bool:
    """Whether a row can be returned: all its texts are UTF-8."""
    try:
        texts.decode()
    except UnicodeDecodeError:
        return False
    return True


def equal(left: Any, right: Any) -> bool:
    """Whether two JSON values are one: true is not 1, 8 is 8.0."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    return isinstance(left, bool) == isinstance(right, bool) and left == right


@twin()
class Engine(QueueAdapter):
    """Takes what is over back at the start of each claim, and walks what is due until a task suits."""

    times: ClassVar[WholeSeconds] = WholeSeconds()
    backoff: ClassVar[Backoff] = Backoff()
    HELD: ClassVar[str] = "id = :id AND status = 'leased' AND locked_by = :worker AND attempts = :attempt"
    RELEASED: ClassVar[str] = "locked_by = NULL, lease_until_utc = NULL, reserved_at_utc = NULL"
    SPENT: ClassVar[str] = "ifnull(attempts, 0) >= ifnull(max_attempts, 5)"
    ORDER: ClassVar[str] = "run_after_utc, id"

    # --- claims -----------------------------------------------------------------------------------------------------

    def claim_task(self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float) -> Task | None:
        return next(iter(self.claim_many(1, worker_id, capabilities, lease_seconds)), None)

    def claim_many(self, n: int, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float) -> list[Task]:
        self.check_claim(worker_id, lease_seconds)
        with self.db.transaction() as connection:
            self.ready(connection)
            ids = self.chosen(connection, capabilities, n)
            return [self.lease(connection, one, worker_id, lease_seconds) for one in ids]

    def check_claim(self, worker_id: Any, lease_seconds: Any) -> None:
        text("worker_id", worker_id)
        number("lease_seconds", lease_seconds, above=0)

    def ready(self, connection: Connection) -> None:
        for statement in INDEXES:
            connection.execute(statement)
        self.take_back(connection)

    def due(self) -> str:
        return f"status = 'queued' AND run_after_utc <= {self.times.now} AND NOT ({self.SPENT})"

    def chosen(self, connection: Connection, capabilities: Mapping[str, Any], n: int) -> list[int]:
        found: list[int] = []
        for task_id in self.suitable(connection, capabilities):
            found.append(task_id)
            if len(found) == n:
                break
        return found

    def suitable(self, connection: Connection, capabilities: Mapping[str, Any]) -> Iterator[int]:
        rows = connection.execute(f"SELECT id, {READ} FROM task_queue WHERE {self.due()} ORDER BY {self.ORDER}")
        return (row[0] for row in rows if self.suits(row[1], capabilities) and readable(row[2]))

    def suits(self, stored: bytes | None, capabilities: Mapping[str, Any]) -> bool:
        try:
            needs = json.loads(stored or b"")
        except (ValueError, RecursionError):
            return False
        return isinstance(needs, dict) and self.able(needs, capabilities)

    def able(self, needs: dict[str, Any], capabilities: Mapping[str, Any]) -> bool:
        return all(key in capabilities and equal(capabilities[key], value) for key, value in needs.items())

    def lease(self, connection: Connection, task_id: int, worker_id: str, lease_seconds: float) -> Task:
        row = connection.execute(
            "UPDATE task_queue SET status = 'leased', attempts = ifnull(attempts, 0) + 1, locked_by = :worker, "
            f"reserved_at_utc = {self.times.now}, lease_until_utc = {self.times.shifted(':lease')} "
            "WHERE id = :id RETURNING *",
            {"id": task_id, "worker": worker_id, "lease": self.times.later(lease_seconds)},
        ).fetchone()
        return Task.from_dict(row)

    def take_back(self, connection: Connection) -> int:
        over = f"status = 'leased' AND lease_until_utc <= {self.times.now}"
        back = connection.execute(
            f"UPDATE task_queue SET status = 'queued', run_after_utc = {self.times.now}, {self.RELEASED} "
            f"WHERE {over} AND NOT ({self.SPENT})"
        )
        lost = connection.execute(
            f"UPDATE task_queue SET status = 'failed', finished_at_utc = {self.times.now}, {self.RELEASED}, "
            f"error_message = ifnull(error_message, 'the worker went away') WHERE {over} AND {self.SPENT}"
        )
        return back.rowcount + lost.rowcount

    # --- the holder's calls -----------------------------------------------------------------------------------------

    def complete_task(self, task: Task, worker_id: str) -> bool:
        done = f"status = 'completed', finished_at_utc = {self.times.now}, {self.RELEASED}"
        return self.change(done, self.holder(task, worker_id))

    def fail_task(self, task: Task, worker_id: str, error: str, *, retry: bool = True) -> bool:
        delay = self.times.later(self.delay(task.attempts or 1))
        holder = self.holder(task, worker_id) | {"error": self.shown(error), "delay": delay}
        later = f"status = 'queued', error_message = :error, run_after_utc = {self.times.shifted(':delay')}"
        if retry and self.change(f"{later}, {self.RELEASED}", holder, f" AND NOT ({self.SPENT})"):
            return True
        gone = f"status = 'failed', error_message = :error, finished_at_utc = {self.times.now}"
        return self.change(f"{gone}, {self.RELEASED}", holder, f" AND ({self.SPENT} OR {int(not retry)})")

    def renew_lease(self, task: Task, worker_id: str, lease_seconds: float) -> bool:
        number("lease_seconds", lease_seconds, above=0)
        holder = self.holder(task, worker_id) | {"lease": self.times.later(lease_seconds)}
        return self.change(f"lease_until_utc = {self.times.shifted(':lease')}", holder)

    def delay(self, attempt: int) -> float:
        return random.uniform(*self.backoff.window(attempt))  # noqa: S311 - no secret

    def shown(self, error: Any) -> str:
        return str(error)[:10_000].encode("utf-8", "replace").decode()

    def holder(self, task: Task, worker_id: str) -> dict[str, Any]:
        return {"id": task.id, "worker": worker_id, "attempt": task.attempts}

    def change(self, assignments: str, holder: dict[str, Any], also: str = "") -> bool:
        with self.db.transaction() as connection:
            statement = f"UPDATE task_queue SET {assignments} WHERE {self.HELD}{also}"
            return connection.execute(statement, holder).rowcount == 1


@twin()
class LazyEngine(Engine):
    """Leaves an over lease to whoever calls reclaim_expired."""

    def take_back(self, _connection: Connection) -> int:
        return 0


@twin()
class StrictEngine(Engine):
    """Refuses a holder whose lease is over although nobody took the task."""

    promises: ClassVar[Promises] = Promises(late_finish="refuse")
    HELD: ClassVar[str] = f"{Engine.HELD} AND lease_until_utc > datetime('now')"


@twin(detail=True)
class SteadyEngine(Engine):
    """Waits the same ten seconds after every failure."""

    backoff: ClassVar[Backoff] = Backoff(initial=10.0, multiplier=1.0, maximum=10.0, jitter=0.0)
    promises: ClassVar[Promises] = Promises(backoff=backoff)


@twin()
class AsyncEngine(Engine):
    """The same with coroutines."""

    async def claim_task(self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float) -> Task | None:
        return super().claim_task(worker_id, capabilities, lease_seconds)

    async def complete_task(self, task: Task, worker_id: str) -> bool:
        return super().complete_task(task, worker_id)

    async def fail_task(self, task: Task, worker_id: str, error: str, *, retry: bool = True) -> bool:
        return super().fail_task(task, worker_id, error, retry=retry)

    async def renew_lease(self, task: Task, worker_id: str, lease_seconds: float) -> bool:
        return super().renew_lease(task, worker_id, lease_seconds)
