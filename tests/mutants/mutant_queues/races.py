"""Broken queues that are right for one worker: what they read is old by the time they write."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing, contextmanager
from typing import Any, ClassVar

from mutant_queues.broken import OnReference
from mutant_queues.infrastructure import EachUse, Infrastructure
from mutant_queues.registry import RACE, breaks
from pytest_taskq.reference_impl import Task

_TAKE = (
    "UPDATE task_queue SET status = 'leased', attempts = attempts + 1, locked_by = :worker, ready = 0, "
    "reserved_at_utc = datetime('now'), lease_until_utc = datetime('now', :lease) WHERE id = :id RETURNING *"
)
_NEXT = (
    "SELECT id FROM task_queue WHERE status = 'queued' AND run_after_utc <= datetime('now') "
    "AND compatibility = '{}' ORDER BY id LIMIT :most"
)


class OwnConnections(OnReference):
    """Opens a connection of its own for each call."""

    def opened(self, **options: Any) -> closing[sqlite3.Connection]:
        connection = sqlite3.connect(self.dsn.removeprefix("sqlite:///"), timeout=5, **options)
        connection.row_factory = sqlite3.Row
        return closing(connection)

    def take(self, connection: sqlite3.Connection, task_id: int, worker_id: str, lease_seconds: float) -> Task:
        lease = {"id": task_id, "worker": worker_id, "lease": f"+{lease_seconds} seconds"}
        return Task.from_dict(connection.execute(_TAKE, lease).fetchone())

    def claim(self, connection: sqlite3.Connection, worker_id: str, lease_seconds: float) -> Task | None:
        found = connection.execute(_NEXT, {"most": 1}).fetchone()
        return None if found is None else self.take(connection, found[0], worker_id, lease_seconds)


# --- claims -----------------------------------------------------------------------------------------------------------


@breaks("CLM-02", RACE, "one claim returns task 1")
class ReadsBeforeTheImplicitBegin(OwnConnections):
    """Selects inside `with connection:`, which begins its transaction only at the UPDATE."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        with self.opened() as connection, connection:
            return self.claim(connection, worker_id, lease_seconds)


@breaks("CLM-02", RACE, "one claim returns task 1")
class SelectsThenUpdates(OwnConnections):
    """Selects in one transaction and updates in another."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        with self.opened(isolation_level=None) as connection:
            return self.claim(connection, worker_id, lease_seconds)


@breaks("CLM-09", RACE, "database is locked after 0 s")
class UpgradesItsLock(OwnConnections):
    """Begins a deferred transaction with a read, so that the lock it asks for later is refused at once."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        with self.opened(isolation_level=None) as connection:
            connection.execute("BEGIN")
            try:
                return self.claim(connection, worker_id, lease_seconds)
            finally:
                if connection.in_transaction:
                    connection.execute("COMMIT")


@breaks("CLM-10", RACE, "does not sleep")
class SleepsWithTheLock(OnReference):
    """Pauses politely while it holds the write lock."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        with self.db.transaction():
            time.sleep(0.01)
        return self.reference.claim_task(worker_id, capabilities, lease_seconds)


@breaks("CLM-10", RACE, "at most 20 statements")
class LooksAtEachTask(OnReference):
    """Asks for each task again while it holds the write lock."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        with self.db.transaction() as connection:
            for row in connection.execute("SELECT id FROM task_queue").fetchall():
                connection.execute("SELECT compatibility FROM task_queue WHERE id = ?", (row[0],)).fetchone()
        return self.reference.claim_task(worker_id, capabilities, lease_seconds)


@breaks("CLM-12", RACE, "no task is in two batches")
class SelectsABatchThenUpdates(OwnConnections):
    """Selects a batch, then leases its tasks one by one."""

    def claim_many(self, n, worker_id, capabilities, lease_seconds):
        with self.opened(isolation_level=None) as connection:
            ids = [row[0] for row in connection.execute(_NEXT, {"most": n}).fetchall()]
            return [self.take(connection, task_id, worker_id, lease_seconds) for task_id in ids]


@breaks("SCH-06", RACE, "one claim returns task 1|one of two workers")
class StrategiesSelectThenUpdate(OwnConnections):
    """Has one strategy that selects in one transaction and updates in another."""

    def claim_by(self, strategy, worker_id, capabilities, lease_seconds):
        if strategy != "lifo":
            return self.reference.claim_by(strategy, worker_id, capabilities, lease_seconds)
        with self.opened(isolation_level=None) as connection:
            return self.claim(connection, worker_id, lease_seconds)


# --- the holder's calls -----------------------------------------------------------------------------------------------


class ChecksThenWrites(OnReference):
    """Looks whether the worker holds the task, and writes in another transaction."""

    def holds(self, task: Task, worker_id: str, *, status: str = "leased") -> bool:
        with self.db.connection() as connection:
            row = connection.execute(
                "SELECT locked_by, attempts, status FROM task_queue WHERE id = ?", (task.id,)
            ).fetchone()
        return row is not None and tuple(row) == (worker_id, task.attempts, status)


@breaks("LSE-02", RACE, "the renewal was accepted|a renewal of what was taken back")
@breaks("LSE-03", RACE, "the renewal was accepted|lost its lease|taken back|the next worker")
@breaks("LSE-04", RACE, "the renewal was accepted|a renewal of what was taken back")
class RenewsById(ChecksThenWrites):
    """Checks the holder, then renews whoever holds it by then."""

    def renew_lease(self, task, worker_id, lease_seconds):
        later = f"+{lease_seconds} seconds"
        return self.holds(task, worker_id) and bool(
            self.write("UPDATE task_queue SET lease_until_utc = datetime('now', ?) WHERE id = ?", later, task.id)
        )


@breaks("FIN-02", RACE, "lost its lease|the next worker")
@breaks("FIN-07", RACE, "one of two ends")
class CompletesAfterALook(ChecksThenWrites):
    """Checks the holder, then completes by id."""

    def complete_task(self, task, worker_id):
        done = (
            "UPDATE task_queue SET status = 'completed', finished_at_utc = datetime('now'), locked_by = NULL, "
            "lease_until_utc = NULL, reserved_at_utc = NULL WHERE id = ?"
        )
        return self.holds(task, worker_id) and bool(self.write(done, task.id))


@breaks("ENQ-10", RACE, "exactly one cancels or claims")
class CancelsAfterALook(OnReference):
    """Looks whether the task is queued, then cancels by id."""

    def cancel_task(self, task_id):
        task = self.reference.get_task(task_id)
        if task is None or task.status != "queued":
            return False
        self.write(
            "UPDATE task_queue SET status = 'cancelled', finished_at_utc = datetime('now') WHERE id = ?", task_id
        )
        return True


# --- enqueueing -------------------------------------------------------------------------------------------------------


@breaks("ENQ-05", RACE, "UNIQUE|enqueue returns|same id")
class LooksForTheKeyFirst(OnReference):
    """Looks for the key, then inserts, and lets the second one fail."""

    def enqueue(self, type, payload, *, idempotency_key=None, **options):
        if idempotency_key is not None:
            with self.db.connection() as connection:
                row = connection.execute(
                    "SELECT id FROM task_queue WHERE idempotency_key = ?", (idempotency_key,)
                ).fetchone()
            if row is not None:
                return row[0]
        task_id = self.reference.enqueue(type, payload, **options)
        if idempotency_key is not None:
            self.write("UPDATE task_queue SET idempotency_key = ? WHERE id = ?", idempotency_key, task_id)
        return task_id


@breaks("ENQ-07", RACE, "task after the|the caller's own work|enqueue_in returns")
class CommitsForTheCaller(OnReference):
    """Commits what the caller has done so far, to be on the safe side."""

    def enqueue_in(self, connection, type, payload, **options):
        task_id = self.reference.enqueue_in(connection, type, payload, **options)
        connection.execute("COMMIT")
        connection.execute("BEGIN IMMEDIATE")
        return task_id


@breaks("ENQ-13", RACE, "wholly or not at all")
class BatchInSteps(OnReference):
    """Checks the whole batch, then stores its items one by one."""

    def enqueue_many(self, items):
        kept = [dict(item) for item in items]
        return [self.reference.enqueue(item.pop("type"), item.pop("payload"), **item) for item in kept]


# --- watching and upkeep ----------------------------------------------------------------------------------------------


@breaks("OBS-02", RACE, "counts of one moment")
class CountsOneStatusAfterAnother(OnReference):
    """Counts each status by a query of its own, outside a transaction."""

    STATUSES: ClassVar = ("queued", "leased", "completed", "failed", "cancelled")

    def queue_stats(self):
        count = "SELECT count(*) FROM task_queue WHERE status = ?"
        with self.db.connection() as connection:
            return {status: connection.execute(count, (status,)).fetchone()[0] for status in self.STATUSES}


@breaks("OBS-03", RACE, "keeps no writer waiting")
class CountsWithTheLock(OwnConnections):
    """Counts inside a write transaction, so that nothing changes meanwhile."""

    def queue_stats(self):
        with self.opened(isolation_level=None) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                return dict(connection.execute("SELECT status, count(*) FROM task_queue GROUP BY status").fetchall())
            finally:
                connection.execute("COMMIT")


_OLD = "status = 'completed' AND finished_at_utc < datetime('now', ?)"


@breaks("MNT-02", RACE, "the counts are of the 2 tasks")
class CountsBeforeItDeletes(OnReference):
    """Counts what is old, then deletes what is old by then."""

    def delete_finished(self, older_than_seconds):
        age = f"-{older_than_seconds} seconds"
        with self.db.connection() as connection:
            count = connection.execute(f"SELECT count(*) FROM task_queue WHERE {_OLD}", (age,)).fetchone()[0]
        while self.reference.delete_finished(older_than_seconds):
            pass
        return count


_BACK = (
    "UPDATE task_queue SET status = 'queued', ready = 1, locked_by = NULL, lease_until_utc = NULL, "
    "reserved_at_utc = NULL WHERE id = ?"
)
_LOST = (
    "UPDATE task_queue SET status = 'failed', finished_at_utc = datetime('now'), locked_by = NULL, ready = 0, "
    "lease_until_utc = NULL, reserved_at_utc = NULL, error_message = 'its worker went away' WHERE id = ?"
)


@breaks("MNT-05", RACE, "two reclaims count|the renewal was accepted|was taken back")
@breaks("MNT-06", RACE, "one of two ends|the renewal was accepted|was taken back")
class ReclaimsAfterALook(OnReference):
    """Looks for over leases, then takes them back by id."""

    def reclaim_expired(self):
        over = "SELECT id, attempts < max_attempts FROM task_queue WHERE status = 'leased' AND lease_until_utc <= "
        with self.db.connection() as connection:
            rows = connection.execute(f"{over} datetime('now')").fetchall()
        for task_id, again in rows:
            self.write(_BACK if again else _LOST, task_id)
        return len(rows)


# --- the database object ----------------------------------------------------------------------------------------------


class BeginsWhenItWrites(EachUse):
    """Its write transactions take no lock before the first write."""

    BEGIN: ClassVar = "BEGIN"


@breaks("INF-06", RACE, "takes its lock at the start")
class DeferredTransactions(Infrastructure):
    """Begins write transactions without the lock."""

    Database: ClassVar = BeginsWhenItWrites


class CommitsEachStatement(EachUse):
    """A transaction that is none."""

    @contextmanager
    def transaction(self):
        with self.connection() as connection:
            yield connection


@breaks("INF-06", RACE, "a reader sees|afterwards there are")
class NoTransactions(Infrastructure):
    """Commits each statement on its own."""

    Database: ClassVar = CommitsEachStatement


class GivesUpAtOnce(EachUse):
    """Does not say what a lock error is."""

    def kind(self, error):
        return self.OTHER

    OTHER: ClassVar = sqlite3.OperationalError


@breaks("INF-08", RACE, "raises QueueBusyError")
class LocksAreTheDriversBusiness(Infrastructure):
    """Lets the driver's own lock error out."""

    Database: ClassVar = GivesUpAtOnce
