"""Broken clients, each the twin with one clause wrong, and a second twin that stamps the times itself."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from math import ceil, isnan
from typing import TYPE_CHECKING, Any, ClassVar

from mutant_queues.client import Client, number, same_after_json, text, whole
from mutant_queues.engine import Engine
from mutant_queues.registry import DIRECT, MODEL, breaks, twin
from mutant_queues.wholes import InMemory
from pytest_taskq import Promises, QueueAdapter, StandaloneAdapter
from pytest_taskq.reference_impl import Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_taskq.contract import Connection, TaskId

COLUMNS = (
    "type",
    "payload",
    "priority",
    "max_attempts",
    "compatibility",
    "idempotency_key",
    "run_after_utc",
    "created_at_utc",
    "updated_at_utc",
)


@twin()
class Stamping(QueueAdapter):
    """Times are Python's, the id is the cursor's, a key is looked up when the unique index refuses it."""

    promises: ClassVar[Promises] = Promises(key_scope="forever")
    INSERT: ClassVar[str] = f"INSERT INTO task_queue ({', '.join(COLUMNS)}) VALUES (:{', :'.join(COLUMNS)})"

    def now(self) -> datetime:
        return datetime.now(UTC)

    def stamp(self, moment: datetime) -> str:
        return moment.strftime("%Y-%m-%d %H:%M:%S")

    def due(self, delay: float) -> str:
        moment = self.now() + timedelta(seconds=delay)
        return self.stamp(moment + timedelta(microseconds=-moment.microsecond % 1_000_000 if delay else 0))

    def enqueue(self, type: Any, payload: Any, **options: Any) -> TaskId:
        row = self.row(type, payload, **options)
        with self.db.transaction() as connection:
            return self.insert(connection, row)

    def enqueue_many(self, items: Iterable[Mapping[str, Any]]) -> list[TaskId]:
        rows = [self.row(**item) for item in items]
        with self.db.transaction() as connection:
            return [self.insert(connection, row) for row in rows]

    def row(
        self,
        type: Any,
        payload: Any,
        priority: Any = 100,
        delay_seconds: Any = 0,
        max_attempts: Any = 5,
        idempotency_key: Any = None,
        compatibility: Any = None,
    ) -> dict[str, Any]:
        same_after_json(payload)
        key = idempotency_key if idempotency_key is None else text("idempotency_key", idempotency_key)
        return {
            "type": text("type", type),
            "payload": json.dumps(payload, allow_nan=False, separators=(",", ":")),
            "priority": whole("priority", priority),
            "max_attempts": whole("max_attempts", max_attempts, 1),
            "compatibility": json.dumps(dict(compatibility or {}), allow_nan=False, sort_keys=True),
            "idempotency_key": key,
            "run_after_utc": self.due(number("delay_seconds", delay_seconds)),
            "created_at_utc": self.stamp(self.now()),
            "updated_at_utc": self.stamp(self.now()),
        }

    def insert(self, connection: Connection, row: dict[str, Any]) -> TaskId:
        key = (row["idempotency_key"],)
        known = connection.execute("SELECT task_id FROM reference_retired_keys WHERE idempotency_key = ?", key)
        for found in known:
            return found[0]
        try:
            return connection.execute(self.INSERT, row).lastrowid
        except sqlite3.IntegrityError:
            return connection.execute("SELECT id FROM task_queue WHERE idempotency_key = ?", key).fetchone()[0]


# --- ENQ-01 -----------------------------------------------------------------------------------------------------------


@breaks("ENQ-01", DIRECT, "it raised")
@breaks("ENQ-01", MODEL, "it raised|raises")
class NeverEnqueues(QueueAdapter):
    """Not written yet."""

    def enqueue(self, type, payload, **options):
        raise NotImplementedError("to do")


@breaks("ENQ-01", DIRECT, "a task id .*; seen None")
class ReturnsNoId(QueueAdapter):
    """Stores the task and forgets to say where."""

    def enqueue(self, type, payload, **options):
        self.reference.enqueue(type, payload, **options)


@breaks("ENQ-01", DIRECT, "two tasks have two ids")
class ReturnsTheRowCount(Client):
    """One row was inserted, so the id is 1."""

    def store(self, connection, row):
        super().store(connection, row)
        return connection.execute("SELECT changes()").fetchone()[0]


@breaks("ENQ-01", DIRECT, "max_attempts of a task .* is 2; seen 5")
@breaks("ENQ-01", MODEL, "max_attempts")
class ForgetsMaxAttempts(Client):
    """An option that never reaches the row."""

    def row(self, **options):
        return {**super().row(**options), "max_attempts": 5}


@breaks("ENQ-01", DIRECT, "priority of a task .* is 0; seen 100")
class ZeroIsNoPriority(Client):
    """``priority or 100``."""

    def row(self, *, priority=100, **options):
        return super().row(priority=priority or 100, **options)


@breaks("ENQ-01", DIRECT, "compatibility of a task .*; seen None")
class StoresNullForADefault(Client):
    """What was not given is stored as NULL, and the table's default has no say."""

    def row(self, *, compatibility=None, **options):
        row = super().row(compatibility=compatibility, **options)
        return row if compatibility else {**row, "compatibility": None}


@breaks("ENQ-01", DIRECT, "compatibility of a task .*; seen ")
class FlattensCompatibility(Client):
    """Keeps texts and numbers of it only."""

    def row(self, *, compatibility=None, **options):
        flat = {key: value for key, value in (compatibility or {}).items() if not isinstance(value, dict)}
        return super().row(compatibility=flat, **options)


@breaks("ENQ-01", DIRECT, "idempotency_key of a task .*; seen ''")
class EmptyKeyForNone(Client):
    """A task without a key gets the empty one, then a blank more for each."""

    def store(self, connection, row):
        count = connection.execute("SELECT count(*) FROM task_queue").fetchone()[0]
        return super().store(connection, {**row, "key": " " * count if row["key"] is None else row["key"]})


@breaks("ENQ-01", DIRECT, "run_after_utc is .*, 30 s from now")
class DelaysByMinutes(Client):
    """Takes the delay for minutes."""

    def row(self, *, delay_seconds=0.0, **options):
        return super().row(delay_seconds=number("delay_seconds", delay_seconds) * 60, **options)


# --- ENQ-02 -----------------------------------------------------------------------------------------------------------


@breaks("ENQ-02", DIRECT, r"raises ValueError or TypeError")
class TakesTuples(Client):
    """``json.dumps`` alone: a tuple becomes a list."""

    def encoded(self, value):
        return json.dumps(value, allow_nan=False)


@breaks("ENQ-02", DIRECT, r"\{1: 'one'\}.* raises ValueError or TypeError")
class TakesAnyKey(Client):
    """Looks at the values and not at the keys."""

    def encoded(self, value):
        back = json.loads(json.dumps(value, allow_nan=False))
        if str(back).replace("'", "") != str(value).replace("'", ""):
            raise ValueError("payload would change in JSON")
        return json.dumps(value)


@breaks("ENQ-02", DIRECT, "b'bytes'.* raises ValueError or TypeError")
class DecodesBytes(Client):
    """``default=`` turns into text what JSON does not know."""

    def encoded(self, value):
        if not isinstance(value, bytes | bytearray):
            same_after_json(value)
        return json.dumps(value, allow_nan=False, default=lambda data: data.decode())


@breaks("ENQ-02", DIRECT, "nothing is stored of what was refused; seen [0-9]+ tasks")
class StoresThenLooks(Client):
    """Reads the payload back after the commit, and complains then."""

    def enqueue(self, type, payload, **options):
        task_id = super().enqueue(type, payload, **options)
        try:
            same_after_json(payload)
        except TypeError as error:
            raise TypeError(f"payload of task {task_id}: {error}") from error
        return task_id

    def encoded(self, value):
        return json.dumps(value, allow_nan=False, skipkeys=True, default=str)


@breaks("ENQ-02", MODEL, "payload")
class EmptyBecomesAnObject(Client):
    """``payload or {}``."""

    def row(self, *, payload, **options):
        return super().row(payload=payload or {}, **options)


@breaks("ENQ-02", MODEL, "payload")
class NumbersAreDoubles(Client):
    """Large integers lose their last digits."""

    def encoded(self, value):
        plain = json.loads(super().encoded(value), parse_int=lambda digits: float(digits[:300]))
        return json.dumps(plain, allow_nan=False)


@breaks("ENQ-02", DIRECT, "raises ValueError or TypeError")
class InMemoryTakesTuples(InMemory):
    """A queue with a storage of its own that makes JSON of anything."""

    def enqueue(self, type, payload, **options):
        return super().enqueue(type, json.loads(json.dumps(payload)), **options)


# --- ENQ-03 -----------------------------------------------------------------------------------------------------------


@breaks("ENQ-03", DIRECT, r"nan.* raises ValueError or TypeError")
class StoresNan(Client):
    """``json.dumps`` writes NaN unless it is told not to."""

    def encoded(self, value):
        same_after_json(value)
        return json.dumps(value)


@breaks("ENQ-03", DIRECT, r"delay_seconds=nan.* raises ValueError or TypeError")
class OnlyRefusesNegativeDelays(Client):
    """``delay < 0`` is false for NaN, which SQLite then makes NULL."""

    def row(self, *, delay_seconds=0.0, **options):
        if isinstance(delay_seconds, float) and isnan(delay_seconds):
            return {**super().row(**options), "delay": "+nan seconds"}
        return super().row(delay_seconds=delay_seconds, **options)


@breaks("ENQ-03", DIRECT, "delay_seconds=-1.* raises ValueError or TypeError")
class NegativeIsNow(Client):
    """A delay below zero is taken for zero."""

    def row(self, *, delay_seconds=0.0, **options):
        is_negative = isinstance(delay_seconds, int | float) and delay_seconds in (-1, -0.001)
        return super().row(delay_seconds=0 if is_negative else delay_seconds, **options)


@breaks("ENQ-03", DIRECT, "max_attempts=0.* raises ValueError or TypeError")
class ClampsMaxAttempts(Client):
    """``max(1, n)`` hides the caller's mistake."""

    def row(self, *, max_attempts=5, **options):
        return super().row(max_attempts=max(1, max_attempts) if max_attempts in (0, -1) else max_attempts, **options)


@breaks("ENQ-03", DIRECT, "priority='high'.* raises ValueError or TypeError")
class TakesAnyPriority(Client):
    """SQLite stores a text in an INTEGER column without a word."""

    def row(self, *, priority=100, **options):
        return {**super().row(**options), "priority": priority}


@breaks("ENQ-03", DIRECT, "enqueue\\(''.* raises ValueError or TypeError")
class TakesAnEmptyType(Client):
    """A task that no worker knows."""

    def row(self, *, type, **options):
        row = super().row(type=type or "?" if isinstance(type, str) else type, **options)
        return {**row, "type": type}


@breaks("ENQ-03", DIRECT, "the message of .* names payload")
class RefusesWithoutAName(Client):
    """Says that something is wrong and not what."""

    def row(self, **options):
        try:
            return super().row(**options)
        except (TypeError, ValueError):
            raise ValueError("bad argument") from None


@breaks("ENQ-03", DIRECT, "raises ValueError or TypeError.*AssertionError|AssertionError")
class Asserts(Client):
    """Another class of error, and none at all under ``python -O``."""

    def row(self, **options):
        try:
            return super().row(**options)
        except (TypeError, ValueError) as error:
            raise AssertionError(str(error)) from error


@breaks("ENQ-03", DIRECT, "nothing is stored of what was refused; seen [0-9]+ tasks")
class InsertsFirst(Client):
    """The row is there before the options are looked at."""

    def enqueue(self, type, payload, **options):
        task_id = super().enqueue(type, payload)
        row = self.row(type=type, payload=payload, **options)
        changes = {"priority": row["priority"], "max_attempts": row["max_attempts"], "id": task_id}
        with self.db.transaction() as connection:
            connection.execute(
                "UPDATE task_queue SET priority = :priority, max_attempts = :max_attempts WHERE id = :id", changes
            )
        return task_id


@breaks("ENQ-03", DIRECT, "delay_seconds=-1.* raises ValueError or TypeError", twin=InMemory)
class InMemoryDelaysBackwards(InMemory):
    """A queue with a storage of its own that adds up what it is given."""

    def enqueue(self, type, payload, *, delay_seconds=0.0, **options):
        backwards = isinstance(delay_seconds, int | float) and delay_seconds in (-1, -0.001)
        return super().enqueue(type, payload, delay_seconds=0 if backwards else delay_seconds, **options)


@breaks("ENQ-03", DIRECT, "nothing is stored of what was refused; seen [0-9]+ tasks")
class InMemoryInsertsFirst(InMemory):
    """Appends, then looks; its statistics tell."""

    def enqueue(self, type, payload, **options):
        try:
            return super().enqueue(type, payload, **options)
        except (TypeError, ValueError):
            super().enqueue("job", {})
            raise


@twin()
class InMemoryUncounted(InMemory):
    """Nothing counts its tasks, so what is stored is what can be claimed."""

    promises: ClassVar[Promises] = Promises(
        time_precision=0.001, not_offered={**InMemory.promises.not_offered, "queue_stats": "nobody asked for it"}
    )


@breaks("ENQ-03", DIRECT, "nothing is stored of what was refused; seen [0-9]+ tasks", twin=InMemoryUncounted)
class InMemoryUncountedInsertsFirst(InMemoryInsertsFirst):
    """Appends, then looks; its next claim tells."""

    promises: ClassVar[Promises] = InMemoryUncounted.promises


@twin()
class InMemoryListed(InMemoryUncounted):
    """Lists its tasks."""

    def all_tasks(self) -> list[Task]:
        return [self.shown(task) for task in self.tasks]


@breaks("ENQ-03", DIRECT, "nothing is stored of what was refused; seen [0-9]+ tasks", twin=InMemoryListed)
class InMemoryListedDelaysFirst(InMemoryListed):
    """What it refused is stored for later, where no claim sees it; its list tells."""

    def enqueue(self, type, payload, **options):
        try:
            return super().enqueue(type, payload, **options)
        except (TypeError, ValueError):
            super().enqueue("job", {}, delay_seconds=1e6)
            raise


@breaks("ENQ-03", DIRECT, "raises ValueError or TypeError", twin=InMemory)
class TakesWhateverComes(StandaloneAdapter):
    """The first that was written: a list."""

    def setup(self):
        self.kept.clear()

    kept: ClassVar[list[Any]] = []

    def enqueue(self, type, payload, **options):
        self.kept.append((type, payload))
        return len(self.kept)

    def claim_task(self, worker_id, capabilities, lease_seconds):
        if not self.kept:
            return None
        kind, payload = self.kept.pop(0)
        return Task(id=1, type=str(kind), payload=json.dumps(payload, default=str))


# --- ENQ-04 -----------------------------------------------------------------------------------------------------------


@breaks("ENQ-04", MODEL, "it raised|raises|type|syntax")
class PastesTheType(Client):
    """The type becomes part of the statement."""

    def store(self, connection, row):
        task_id = super().store(connection, {**row, "type": "?"})
        connection.execute(f"UPDATE task_queue SET type = '{row['type']}' WHERE id = {task_id} AND type = '?'")
        return task_id


@breaks("ENQ-04", MODEL, "type")
class DoublesQuotes(Client):
    """Escapes by hand what goes in as a parameter."""

    def row(self, *, type, **options):
        return super().row(type=text("type", type).replace("'", "''"), **options)


@breaks("ENQ-04", MODEL, "id|task|key")
class KeysAreLikePatterns(Client):
    """Looks a key up with LIKE, where ``_`` and ``%`` stand for others."""

    def owner(self, connection, key):
        found = connection.execute(
            "SELECT id FROM task_queue WHERE ? LIKE idempotency_key OR idempotency_key LIKE ?", (key, key)
        ).fetchone()
        return None if found is None else found[0]


@breaks("ENQ-04", MODEL, "it raised|raises|locked_by|syntax")
class PastesTheWorker(Engine):
    """The worker's name becomes part of the statement."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        task = super().claim_task(worker_id, capabilities, lease_seconds)
        if task is not None:
            with self.db.transaction() as connection:
                connection.execute(f"UPDATE task_queue SET locked_by = '{worker_id}' WHERE id = {task.id}")
        return task


@breaks("ENQ-04", MODEL, "it raised|raises|error|syntax", twin=Engine)
class PastesTheError(QueueAdapter):
    """The error becomes part of the statement."""

    def fail_task(self, task, worker_id, error, *, retry=True):
        failed = self.reference.fail_task(task, worker_id, error, retry=retry)
        if failed:
            with self.db.transaction() as connection:
                connection.execute(f"UPDATE task_queue SET error_message = '{error}' WHERE id = {task.id}")
        return failed


# --- ENQ-12 -----------------------------------------------------------------------------------------------------------


@breaks("ENQ-12", DIRECT, "enqueue writes (run_after_utc|created_at_utc) as UTC")
class Local(Stamping):
    """``datetime.now()``."""

    def now(self) -> datetime:
        return datetime.now()  # noqa: DTZ005 - the defect


@breaks("ENQ-12", DIRECT, "enqueue writes run_after_utc as UTC, .* with TZ=")
class DelaysInLocalTime(Stamping):
    """Only a delay goes through local time: nobody sees it where local time is UTC."""

    def due(self, delay: float) -> str:
        if not delay:
            return super().due(delay)
        moment = datetime.now() + timedelta(seconds=ceil(delay))  # noqa: DTZ005 - the defect
        return self.stamp(moment)


@breaks("ENQ-12", DIRECT, "enqueue writes run_after_utc as UTC")
class NaiveTimestamps(Stamping):
    """``utcnow().timestamp()`` reads UTC as local time."""

    def now(self) -> datetime:
        naive = datetime.now(UTC).replace(tzinfo=None)
        return datetime.fromtimestamp(naive.timestamp(), UTC)


class Rewriting(QueueAdapter):
    """The reference, with the times that a call wrote put in again, as ``NOW`` has them."""

    NOW: ClassVar[str] = "datetime('now', 'localtime')"

    def rewritten(self, column: str, task_id: Any, *, shift: str = "+0 seconds") -> None:
        with self.db.transaction() as connection:
            now = self.NOW.replace(")", ", ?)")
            connection.execute(f"UPDATE task_queue SET {column} = {now} WHERE id = ?", (shift, task_id))


@breaks("ENQ-12", DIRECT, "claim_task writes lease_until_utc as UTC", twin=Engine)
class LeasesInLocalTime(Rewriting):
    """A lease of nine hours in Tokyo, and one that was over before it began in New York."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        task = self.reference.claim_task(worker_id, capabilities, lease_seconds)
        if task is not None:
            self.rewritten("lease_until_utc", task.id, shift=f"+{lease_seconds} seconds")
        return task


@breaks("ENQ-12", DIRECT, "claim_task returns task .*, the only one that is due, with TZ=", twin=Engine)
class DueInLocalTime(Engine):
    """Compares UTC with local time: west of Greenwich nothing is due for hours."""

    def due(self) -> str:
        return super().due().replace("datetime('now')", "datetime('now', 'localtime')")


@breaks("ENQ-12", DIRECT, "complete_task writes finished_at_utc as UTC", twin=Engine)
class FinishesInLocalTime(Rewriting):
    """A clean-up then deletes it nine hours early or late."""

    def complete_task(self, task, worker_id):
        done = self.reference.complete_task(task, worker_id)
        if done:
            self.rewritten("finished_at_utc", task.id)
        return done


@breaks("ENQ-12", DIRECT, "cancel_task writes finished_at_utc as UTC", twin=Client)
class CancelsInLocalTime(Rewriting):
    """The same, for a task that never ran."""

    def cancel_task(self, task_id):
        done = self.reference.cancel_task(task_id)
        if done:
            self.rewritten("finished_at_utc", task_id)
        return done


@breaks("ENQ-12", DIRECT, r"seen [0-9-]+ [0-9:]+[+-]\d\d:\d\d")
class WritesAnOffset(Stamping):
    """A time that is right and not UTC: compared as text it is not."""

    def stamp(self, moment: datetime) -> str:
        return moment.astimezone().isoformat(sep=" ", timespec="seconds")


# --- ENQ-13 -----------------------------------------------------------------------------------------------------------


@breaks("ENQ-13", DIRECT, "(priority|compatibility|max_attempts) of .* in a batch, as by enqueue")
class BatchForgetsDefaults(Stamping):
    """The batch is a second INSERT, written later, and what an item does not name is NULL in it."""

    def enqueue_many(self, items):
        rows = [{**self.row(**item), **self.forgotten(item)} for item in items]
        with self.db.transaction() as connection:
            return [self.insert(connection, row) for row in rows]

    def forgotten(self, item):
        return {name: None for name in ("priority", "max_attempts", "compatibility") if name not in item}


@breaks("ENQ-13", DIRECT, "run_after_utc of .* in a batch, as by enqueue")
@breaks("ENQ-13", MODEL, "run_after_utc|due|claimable")
class BatchForgetsTheDelay(Stamping):
    """Every item is due at once."""

    def enqueue_many(self, items):
        return super().enqueue_many([{name: item[name] for name in item if name != "delay_seconds"} for item in items])


@breaks("ENQ-13", DIRECT, "created_at_utc of .* in a batch")
class BatchForgetsWhen(Stamping):
    """The batch has no time of its own."""

    def enqueue_many(self, items):
        rows = [{**self.row(**item), "created_at_utc": None} for item in items]
        with self.db.transaction() as connection:
            return [self.insert(connection, row) for row in rows]


@breaks("ENQ-13", DIRECT, "nothing is stored of a batch")
class OneByOne(Stamping):
    """A loop of single calls: what came before the bad item stays."""

    def enqueue_many(self, items):
        return [self.enqueue(**item) for item in items]


@breaks("ENQ-13", DIRECT, "raises ValueError or TypeError")
class SkipsBadItems(Stamping):
    """Stores what it can, and returns fewer ids than it got items."""

    def enqueue_many(self, items):
        rows = []
        for item in items:
            try:
                rows.append(self.row(**item))
            except (TypeError, ValueError):
                continue
        with self.db.transaction() as connection:
            return [self.insert(connection, row) for row in rows]


@breaks("ENQ-13", DIRECT, "in a batch|of .* is ")
@breaks("ENQ-13", MODEL, "payload|type|priority")
class IdsInAnotherOrder(Stamping):
    """The ids come as a set gives them, or as RETURNING does."""

    def enqueue_many(self, items):
        return super().enqueue_many(items)[::-1]


@breaks("ENQ-13", DIRECT, "ids, one an item")
class ReturnsTheFirstId(Stamping):
    """A batch has one id: its first task's."""

    def enqueue_many(self, items):
        return super().enqueue_many(items)[:1]


@breaks("ENQ-13", DIRECT, "a list of task ids")
class ReturnsACount(Stamping):
    """How many were stored, and not which."""

    def enqueue_many(self, items):
        return len(super().enqueue_many(items))
