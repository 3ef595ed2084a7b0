"""Queues that work as long as nothing dies and nothing fails in the middle of a call."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from mutant_queues.client import Client
from mutant_queues.engine import Engine
from mutant_queues.keepers import Janitor
from mutant_queues.registry import CRASH, breaks, twin
from mutant_queues.scheduler import Scheduler
from pytest_taskq import Promises
from pytest_taskq.reference_impl import Adapter, QueueBusyError, QueueDatabase, QueueDatabaseError, Task

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping

    from pytest_taskq.contract import Connection, TaskId


@breaks("ENQ-08", CRASH, r"enqueue[\s\S]+a part of it: idempotency_key is None instead of 'order-7'")
class EnqueuesThenSetsTheKey(Client):
    """Sets the key of a new task in a second transaction."""

    def enqueue(self, type: Any, payload: Any, *, idempotency_key: Any = None, **options: Any) -> TaskId:
        row = self.row(type=type, payload=payload, idempotency_key=idempotency_key, **options)
        with self.db.transaction() as connection:
            known = self.owner(connection, row["key"]) if self.has_keys(connection) else None
            task_id = known or self.store(connection, row | {"key": None})
        if known is None and row["key"] is not None:
            with self.db.transaction() as connection:
                connection.execute("UPDATE task_queue SET idempotency_key = ? WHERE id = ?", (row["key"], task_id))
                connection.execute("INSERT INTO client_keys VALUES (?, ?)", (row["key"], task_id))
        return task_id

    def has_keys(self, connection: Connection) -> bool:
        return connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'client_keys'").fetchone() is not None


@breaks("ENQ-08", CRASH, r"one task with this key after the caller has repeated[\s\S]+2 tasks")
class RemembersTheKeyLater(Client):
    """Keys live in a table of the team's own, written when the task is stored already."""

    def store(self, connection: Connection, row: dict[str, Any]) -> TaskId:
        known = super().store(connection, row | {"key": None}) if row["key"] is None else None
        return known or self.store_keyed(connection, row)

    def store_keyed(self, connection: Connection, row: dict[str, Any]) -> TaskId:
        connection.execute("CREATE TABLE IF NOT EXISTS client_keys (key TEXT PRIMARY KEY, task_id INTEGER NOT NULL)")
        known = self.owner(connection, row["key"])
        if known is not None:
            return known
        task_id = super().store(connection, row | {"key": None})
        connection.execute("COMMIT")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO client_keys VALUES (?, ?)", (row["key"], task_id))
        return task_id


class LateWriter(QueueDatabase):
    """Keeps new tasks in memory until somebody uses the database."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.pending: list[tuple[int, str, dict[str, Any]]] = []

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        with super().transaction() as connection:
            pending, self.pending = self.pending, []
            for task_id, statement, row in pending:
                connection.execute(statement, {**row, "id": task_id})
            yield connection

    @contextmanager
    def connection(self) -> Iterator[Any]:
        if self.pending:
            with self.transaction():
                pass
        with super().connection() as connection:
            yield connection


@breaks("ENQ-08", CRASH, r"what the call returned as stored \(4\) survives; seen lost: task 4")
class AnswersBeforeItWrites(Client):
    """Returns an id at once and writes the task with whatever comes next."""

    INSERT = (
        "INSERT INTO task_queue (id, type, payload, priority, max_attempts, compatibility, run_after_utc) "
        "VALUES (:id, :type, :payload, :priority, :max_attempts, :compatibility, datetime('now', :delay))"
    )

    def open_database(self, **settings: Any) -> LateWriter:
        return LateWriter(self.dsn.removeprefix("sqlite:///"), **settings)

    def enqueue(self, type: Any, payload: Any, **options: Any) -> TaskId:
        row = self.row(type=type, payload=payload, **options)
        if row["key"] is not None:
            return super().enqueue(type, payload, **options)
        with self.db.connection() as connection:
            last = connection.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = 'task_queue'").fetchone()[0]
        task_id = (last or 0) + 1
        self.db.pending.append((task_id, self.INSERT, row))
        return task_id


@breaks("ENQ-08", CRASH, r"all 3 new tasks or none; seen 1 new tasks")
@breaks("DUR-02", CRASH, r"all 3 new tasks or none; seen [12] new tasks")
class EnqueuesABatchOneByOne(Client):
    """Each item of a batch has a transaction of its own."""

    def enqueue_many(self, items: Iterable[Mapping[str, Any]]) -> list[TaskId]:
        rows = [self.row(**item) for item in items]
        ids = []
        for row in rows:
            with self.db.transaction() as connection:
                ids.append(self.store(connection, row))
        return ids


@breaks("CLM-06", CRASH, r"holder 'w1', deadline and attempt 1; nothing between; seen task \d+: status 'leased'")
@breaks("CLM-05", CRASH, r"is claimed 3 times; seen 5 claims or more")
class CountsTheAttemptAfterTheLease(Engine):
    """Leases in one transaction and counts the attempt in the next."""

    def claim_many(self, n: int, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float) -> list[Task]:
        tasks = super().claim_many(n, worker_id, capabilities, lease_seconds)
        with self.db.transaction() as connection:
            for task in tasks:
                connection.execute("UPDATE task_queue SET attempts = attempts + 1 WHERE id = ?", (task.id,))
        return [replace(task, attempts=task.attempts + 1) for task in tasks]

    def lease(self, connection: Connection, task_id: int, worker_id: str, lease_seconds: float) -> Task:
        task = super().lease(connection, task_id, worker_id, lease_seconds)
        connection.execute("UPDATE task_queue SET attempts = attempts - 1 WHERE id = ?", (task_id,))
        return replace(task, attempts=task.attempts - 1)


@breaks("CLM-06", CRASH, r"nothing between; seen task \d+: status 'leased'", twin=Scheduler)
class NamesTheHolderLater(Scheduler):
    """The status is set first, holder and deadline in a second transaction."""

    def lease(self, connection: Any, task_id: int, worker_id: str, lease_seconds: float) -> Task:
        connection.execute("UPDATE task_queue SET status = 'leased' WHERE id = ?", (task_id,))
        connection.execute("COMMIT")
        connection.execute("BEGIN IMMEDIATE")
        return super().lease(connection, task_id, worker_id, lease_seconds)


@breaks("FIN-06", CRASH, r"complete_task[\s\S]+a state between")
class CompletesInTwoSteps(Engine):
    """The status first, the end of the lease in a second transaction."""

    def complete_task(self, task: Task, worker_id: str) -> bool:
        done = f"status = 'completed', finished_at_utc = {self.times.now}"
        if not self.change(done, self.holder(task, worker_id)):
            return False
        with self.db.transaction() as connection:
            connection.execute(f"UPDATE task_queue SET {self.RELEASED} WHERE id = ?", (task.id,))
        return True


@breaks("FIN-06", CRASH, r"fail_task[\s\S]+a state between")
class FailsAndThenPutsBack(Engine):
    """A failure with attempts left is failed first and put back in a second transaction."""

    def fail_task(self, task: Task, worker_id: str, error: str, *, retry: bool = True) -> bool:
        left = (task.attempts or 0) < (task.max_attempts or 5)
        if not super().fail_task(task, worker_id, error, retry=False):
            return False
        if retry and left:
            with self.db.transaction() as connection:
                delay = self.times.later(self.delay(task.attempts or 1))
                connection.execute(
                    "UPDATE task_queue SET status = 'queued', finished_at_utc = NULL, "
                    f"run_after_utc = {self.times.shifted('?')} WHERE id = ?",
                    (delay, task.id),
                )
        return True


@breaks("MNT-04", CRASH, r"gone or as it was[\s\S]+status 'deleting'")
class MarksBeforeItDeletes(Janitor):
    """Marks what is old in one transaction and deletes what it marked in the next."""

    def delete(self, status: str, limit: str) -> int:
        with self.db.transaction() as connection:
            marked = connection.execute(
                f"UPDATE task_queue SET status = 'deleting' WHERE status = ? AND {self.OLD.format(limit='?')}",
                (status, limit),
            ).rowcount
        with self.db.transaction() as connection:
            connection.execute("DELETE FROM task_queue WHERE status = 'deleting'")
        return marked


@breaks("MNT-04", CRASH, r"finishes the job when it is run again after the death; seen \d+ of \d+ finished tasks")
class RemembersHowFarItCame(Janitor):
    """Notes the last id to delete before it deletes, and begins behind it next time."""

    def delete(self, status: str, limit: str) -> int:
        old = f"status = ? AND {self.OLD.format(limit='?')}"
        with self.db.transaction() as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS cleaned (up_to INTEGER)")
            past = connection.execute("SELECT ifnull(max(up_to), 0) FROM cleaned").fetchone()[0]
            ids = [
                row[0]
                for row in connection.execute(
                    f"SELECT id FROM task_queue WHERE id > ? AND {old}", (past, status, limit)
                )
            ]
            connection.execute("INSERT INTO cleaned VALUES (?)", (max(ids, default=past),))
        for start in range(0, len(ids), self.BATCH):
            with self.db.transaction() as connection:
                for task_id in ids[start : start + self.BATCH]:
                    connection.execute("DELETE FROM task_queue WHERE id = ?", (task_id,))
        return len(ids)


@breaks("DUR-02", CRASH, r"the task is completed, as the call returned True[\s\S]+status 'leased'")
class SaysCompletedWhateverHappens(Engine):
    """A completion that cannot be stored is reported as one that was."""

    def complete_task(self, task: Task, worker_id: str) -> bool:
        try:
            return super().complete_task(task, worker_id)
        except QueueDatabaseError:
            return True


@breaks("DUR-02", CRASH, r"an error that says what happened; seen claim_task\(.*\) returns None, as if nothing had")
class TakesAnErrorForAnEmptyQueue(Engine):
    """A claim that fails returns None."""

    def claim_task(self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float) -> Task | None:
        try:
            return super().claim_task(worker_id, capabilities, lease_seconds)
        except QueueDatabaseError:
            return None


@breaks("DUR-02", CRASH, r"works again when the fault is gone; seen raises QueueBusyError: a claim is under way")
class KeepsItsLockAfterAnError(Scheduler):
    """A claim that fails never gives its lock back, and every later one is refused."""

    under_way: bool = False

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        if self.under_way:
            raise QueueBusyError("a claim is under way")
        self.under_way = True
        with super().writing() as connection:
            yield connection
        self.under_way = False


_POWER = Promises(durability="power")


@twin(detail=True)
class PoweredReference(Adapter):
    """Each commit is synced before it is acknowledged."""

    promises: ClassVar[Promises] = _POWER

    def open_database(self, **settings: Any) -> QueueDatabase:
        return QueueDatabase.from_dsn(self.dsn, **{"synchronous": "FULL", **settings})


@breaks("DUR-01", CRASH, r"what the call returned as stored \(4\) survives; seen lost: task 4", twin=PoweredReference)
class PromisesPowerAndRunsNormal(Adapter):
    """Promises that a power cut loses nothing, and leaves syncing to checkpoints."""

    promises: ClassVar[Promises] = _POWER


@breaks("DUR-01", CRASH, r"what the call returned as stored \(4\) survives; seen lost: task 4", twin=PoweredReference)
class LeavesSyncingToTheSystem(Client):
    """Promises the same with all syncing left to the operating system."""

    promises: ClassVar[Promises] = _POWER

    def open_database(self, **settings: Any) -> QueueDatabase:
        return CarelessDatabase.from_dsn(self.dsn, **settings)


class CarelessDatabase(QueueDatabase):
    """Runs with synchronous OFF."""

    def _connect(self) -> sqlite3.Connection:
        connection = super()._connect()
        connection.execute("PRAGMA synchronous = OFF")
        return connection
