"""Broken clients, each the twin with one clause wrong, and a second twin that stamps the times itself."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, Any, ClassVar

from mutant_queues.client import Client, number, same_after_json, text, whole
from mutant_queues.engine import Engine
from mutant_queues.registry import DIRECT, MODEL, breaks, twin
from pytest_taskq import Promises, QueueAdapter

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
