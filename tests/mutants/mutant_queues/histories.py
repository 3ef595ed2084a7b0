"""Queues that are right for one process, threads and all, and wrong for several: what only real processes show."""

from __future__ import annotations

import itertools
import json
import os
import sqlite3
import threading
import time
from contextlib import contextmanager

from mutant_queues.registry import HISTORY, breaks
from pytest_taskq import QueueAdapter
from pytest_taskq.reference_impl import QueueDatabase, Task, schema

# Threads respect it, processes do not know of it.
_LOCK = threading.Lock()
_PAUSE = 0.002  # what a slow disk or a busy machine puts between two statements

_LEASE = (
    "UPDATE task_queue SET status = 'leased', attempts = attempts + 1, locked_by = ?, "
    "reserved_at_utc = datetime('now'), lease_until_utc = datetime('now', ?) WHERE id = ? {guard} RETURNING *"
)


class OwnClaims(QueueAdapter):
    """Claims with a SELECT and an UPDATE of its own."""

    guard = "AND status = 'queued'"

    def candidates(self, order: str, limit: int = 1) -> list[int]:
        with self.db.connection() as connection:
            found = connection.execute(
                "SELECT id FROM task_queue WHERE status = 'queued' AND run_after_utc <= datetime('now') "
                f"ORDER BY {order} LIMIT {limit}"
            )
            return [row[0] for row in found.fetchall()]

    def lease(self, task_id: int, worker_id: str, lease_seconds: float) -> Task | None:
        with self.db.transaction() as connection:
            modifier = f"+{lease_seconds + 0.999:.3f} seconds"
            row = connection.execute(_LEASE.format(guard=self.guard), (worker_id, modifier, task_id)).fetchone()
        return None if row is None else Task.from_dict(row)


# --- opening ----------------------------------------------------------------------------------------------------------


class _LooksThenCreates(QueueDatabase):
    def initialize_schema(self) -> None:
        with self.connection() as connection:
            there = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'task_queue'").fetchone()
        if there:
            return
        time.sleep(5 * _PAUSE)
        with self.transaction() as connection:
            for statement in schema.CONTRACT_STATEMENTS:
                connection.execute(statement.replace("IF NOT EXISTS ", ""))
            schema.add_extras(connection)


@breaks("INF-09", HISTORY, "table task_queue already exists")
class LooksThenCreates(QueueAdapter):
    """Looks whether the tables are there, and creates them in a transaction that comes later."""

    def open_database(self, **settings):
        return _LooksThenCreates.from_dsn(self.dsn, **settings)


class _CountsItsCreations(QueueDatabase):
    def initialize_schema(self) -> None:
        with self.connection() as connection:
            there = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_version'").fetchone()
        super().initialize_schema()
        time.sleep(5 * _PAUSE)
        if not there:
            with self.transaction() as connection:
                connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER)")
                connection.execute("INSERT INTO schema_version VALUES (1)")


@breaks("INF-09", HISTORY, r"schema_version', \d")
class WritesItsVersionTwice(QueueAdapter):
    """Every process that finds no version writes one."""

    def open_database(self, **settings):
        return _CountsItsCreations.from_dsn(self.dsn, **settings)


class _OneConnection(QueueDatabase):
    """Opens one connection, and whoever comes while a transaction is open takes part in it."""

    def _held(self):
        if "one" not in self.__dict__:
            self.one = super()._held()
        return self.one

    @contextmanager
    def transaction(self):
        held = self._held()
        connection = held.connection
        if not connection.in_transaction:
            connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        if connection.in_transaction:
            connection.execute("COMMIT")


@breaks("INF-10", HISTORY, r"all or nothing|a thread's transaction is its own")
class SharesOneConnection(QueueAdapter):
    """All threads use one connection, so one's COMMIT is everybody's."""

    def open_database(self, **settings):
        return _OneConnection.from_dsn(self.dsn, **settings)


# --- enqueueing -------------------------------------------------------------------------------------------------------


@breaks("ENQ-05", HISTORY, r"IntegrityError|UNIQUE|gave the ids")
class AsksForTheKeyBeforehand(QueueAdapter):
    """Looks for the key and inserts afterwards, under a lock that other processes do not see."""

    def enqueue(self, type, payload, *, idempotency_key=None, **options):
        if idempotency_key is None:
            return self.reference.enqueue(type, payload, **options)
        with _LOCK:
            with self.db.connection() as connection:
                row = connection.execute(
                    "SELECT id FROM task_queue WHERE idempotency_key = ?", (idempotency_key,)
                ).fetchone()
            if row:
                return row[0]
            time.sleep(_PAUSE)
            with self.db.transaction() as connection:
                return connection.execute(
                    "INSERT INTO task_queue (type, payload, idempotency_key) VALUES (?, ?, ?) RETURNING id",
                    (type, json.dumps(payload), idempotency_key),
                ).fetchone()[0]


@breaks("ENQ-08", HISTORY, "was acknowledged and is not there")
class AcknowledgesWhatItBuffers(QueueAdapter):
    """Hands out ids of a range of its own and writes fifty tasks at a time: fast, until the process dies."""

    def __init__(self, dsn):
        super().__init__(dsn)
        self.buffer = []
        self.ids = itertools.count(os.getpid() * 10**9 + time.monotonic_ns() % 10**9)

    def enqueue(self, type, payload, *, priority=100, max_attempts=5, **options):
        task_id = next(self.ids)
        self.buffer.append((task_id, type, json.dumps(payload), priority, max_attempts))
        if len(self.buffer) == 50:
            self.flush()
        return task_id

    def flush(self):
        with self.db.transaction() as connection:
            for row in self.buffer:
                connection.execute(
                    "INSERT INTO task_queue (id, type, payload, priority, max_attempts) VALUES (?, ?, ?, ?, ?)", row
                )
        self.buffer.clear()

    def close(self):
        if self.buffer:
            self.flush()
        super().close()


@breaks("ENQ-09", HISTORY, "returned twice|is not there")
class CountsIdsItself(QueueAdapter):
    """Takes the next id from the table and writes under it, one thread at a time."""

    def enqueue(self, type, payload, *, priority=100, max_attempts=5, **options):
        with _LOCK:
            with self.db.connection() as connection:
                last = connection.execute("SELECT max(id) FROM task_queue").fetchone()[0] or 0
            time.sleep(_PAUSE)
            with self.db.transaction() as connection:
                connection.execute(
                    "INSERT OR REPLACE INTO task_queue (id, type, payload, priority, max_attempts) "
                    "VALUES (?, ?, ?, ?, ?)",
                    (last + 1, type, json.dumps(payload), priority, max_attempts),
                )
        return last + 1


@breaks("LAT-07", HISTORY, "no lock error before the busy timeout")
@breaks("ENQ-09", HISTORY, "no lock error before the busy timeout")
class DoesNotWait(QueueAdapter):
    """Opens a connection of its own that gives up at the first lock."""

    def enqueue(self, type, payload, *, priority=100, max_attempts=5, **options):
        connection = sqlite3.connect(self.db.path, timeout=0, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            row = (type, json.dumps(payload), priority, max_attempts)
            task_id = connection.execute(
                "INSERT INTO task_queue (type, payload, priority, max_attempts) VALUES (?, ?, ?, ?)", row
            ).lastrowid
            connection.execute("COMMIT")
            return task_id
        finally:
            connection.close()


# --- claiming ---------------------------------------------------------------------------------------------------------


@breaks("CLM-02", HISTORY, r"holds it for \d+\.\d+ s more at least")
class LocksItsThreads(OwnClaims):
    """One claim at a time in each process: a SELECT, then an UPDATE without a guard."""

    guard = ""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        with _LOCK:
            for task_id in self.candidates("id"):
                time.sleep(_PAUSE)
                return self.lease(task_id, worker_id, lease_seconds)
        return None


@breaks("CLM-03", HISTORY, r"\d+ never were, the first of them")
class TakesTwoWhenBeaten(OwnClaims):
    """When another was faster it leases the two next ones, and returns one of them."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        for task_id in self.candidates("id"):
            time.sleep(_PAUSE)
            task = self.lease(task_id, worker_id, lease_seconds)
            if task is not None:
                return task
        leased = [self.lease(one, worker_id, lease_seconds) for one in self.candidates("id", 2)]
        return next((task for task in leased if task is not None), None)


@breaks("CLM-09", HISTORY, "found nothing, but")
class GivesUpWhenBeaten(OwnClaims):
    """Its UPDATE is guarded; when another was faster it says that there is nothing."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        for task_id in self.candidates("id"):
            time.sleep(_PAUSE)
            return self.lease(task_id, worker_id, lease_seconds)
        return None


@breaks("CLM-09", HISTORY, "claim raised after")
class RaisesWhenBeaten(OwnClaims):
    """The same, and it takes the missing row for a task."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        for task_id in self.candidates("id"):
            time.sleep(_PAUSE)
            task = self.lease(task_id, worker_id, lease_seconds)
            if task is None:
                raise LookupError(f"task {task_id} is gone")
            return task
        return None


# --- scheduling -------------------------------------------------------------------------------------------------------

_ORDERS = {"fifo": "id", "lifo": "id DESC", "priority": "priority, id"}


@breaks("SCH-02", HISTORY, "LIFO: no task is served")
@breaks("SCH-03", HISTORY, "PRIORITY: no task is served")
class KeepsWhatItRead(OwnClaims):
    """Each process reads ten candidates at a time and works them off, whatever comes meanwhile."""

    def __init__(self, dsn):
        super().__init__(dsn)
        self.kept = []

    def claim_by(self, strategy, worker_id, capabilities, lease_seconds):
        if strategy not in _ORDERS:
            return self.reference.claim_by(strategy, worker_id, capabilities, lease_seconds)
        while True:
            self.kept = self.kept or self.candidates(_ORDERS[strategy], 10)
            if not self.kept:
                return None
            task = self.lease(self.kept.pop(0), worker_id, lease_seconds)
            if task is not None:
                return task


@breaks("SCH-01", HISTORY, "FIFO: no task is served")
class ServesItsShareFirst(OwnClaims):
    """To keep out of each other's way, every process prefers the ids of its own residue."""

    def claim_by(self, strategy, worker_id, capabilities, lease_seconds):
        if strategy not in _ORDERS:
            return self.reference.claim_by(strategy, worker_id, capabilities, lease_seconds)
        mine = f"id % 2 != {os.getpid() % 2}, " if strategy == "fifo" else ""
        while found := self.candidates(mine + _ORDERS[strategy]):
            task = self.lease(found[0], worker_id, lease_seconds)
            if task is not None:
                return task
        return None


# --- statistics and cleanup -------------------------------------------------------------------------------------------


@breaks("OBS-02", HISTORY, "was never true at one moment")
class CountsOneStatusAfterTheOther(QueueAdapter):
    """A SELECT for each status, each with a snapshot of its own."""

    def queue_stats(self):
        counts = {}
        for status in ("queued", "leased", "completed", "failed", "cancelled"):
            with self.db.connection() as connection:
                counts[status] = connection.execute(
                    "SELECT count(*) FROM task_queue WHERE status = ?", (status,)
                ).fetchone()[0]
            time.sleep(_PAUSE / 4)
        return counts


class OwnCleanup(QueueAdapter):
    """Reads what is old enough, and deletes it later."""

    def old(self, older_than_seconds):
        with self.db.connection() as connection:
            found = connection.execute(
                "SELECT id FROM task_queue WHERE status = 'completed' AND finished_at_utc < datetime('now', ?)",
                (f"-{older_than_seconds} seconds",),
            )
            ids = [row[0] for row in found.fetchall()]
        time.sleep(_PAUSE)
        return ids


@breaks("MNT-02", HISTORY, "the calls say that they deleted")
class CountsWhatItRead(OwnCleanup):
    """Returns how many it meant to delete, and another may have been faster."""

    def delete_finished(self, older_than_seconds):
        ids = self.old(older_than_seconds)
        with self.db.transaction() as connection:
            for task_id in ids:
                connection.execute("DELETE FROM task_queue WHERE id = ?", (task_id,))
        return len(ids)


@breaks("MNT-02", HISTORY, "nothing live is deleted")
class DeletesUpToTheLast(OwnCleanup):
    """Takes every id before the last old one for an old one."""

    def delete_finished(self, older_than_seconds):
        ids = self.old(older_than_seconds)
        if not ids:
            return 0
        with self.db.transaction() as connection:
            return connection.execute("DELETE FROM task_queue WHERE id <= ?", (max(ids),)).rowcount
