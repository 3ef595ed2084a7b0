"""Clients that take or change what they must refuse or store as it is."""

from __future__ import annotations

import json
from dataclasses import replace
from math import isnan
from typing import Any, ClassVar

from mutant_queues.client import Client, same_after_json, text
from mutant_queues.engine import Engine
from mutant_queues.registry import DIRECT, MODEL, breaks, twin
from mutant_queues.wholes import InMemory
from pytest_taskq import Promises, QueueAdapter, StandaloneAdapter
from pytest_taskq.reference_impl import Task

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
        shown = ("status", "attempts", "max_attempts")
        return [replace(self.shown(task), **{name: task[name] for name in shown}) for task in self.tasks]


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
