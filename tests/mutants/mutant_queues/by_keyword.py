"""Queues on PostgreSQL that ask the server's own clock by its keyword, which nobody can put another function before.

`AsksTheServer` is correct and fences on attempts; most others are broken in one place, or keep times where shifting
them does not reach.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg

from mutant_queues.on_postgres import breaks
from mutant_queues.registry import DIRECT, MODEL, ORACLE
from pytest_taskq import QueueAdapter
from pytest_taskq.reference_impl import Adapter, Task
from pytest_taskq.reference_impl.postgres.columns import TASK
from pytest_taskq.reference_impl.postgres.database import PostgresDatabase

if TYPE_CHECKING:
    from collections.abc import Mapping


class _Rewriting(psycopg.Cursor[Any]):
    def execute(self, query: Any, *arguments: Any, **keywords: Any) -> Any:
        query = query.replace("now()", "CURRENT_TIMESTAMP") if isinstance(query, str) else query
        return super().execute(query, *arguments, **keywords)


class _Database(PostgresDatabase):
    def connect(self) -> Any:
        connection = super().connect()
        connection.cursor_factory = _Rewriting
        return connection


class ReferenceByKeyword(Adapter):
    """The reference with ``CURRENT_TIMESTAMP`` in place of ``now()``, in its tables, functions and triggers too."""

    def open_database(self, **settings: Any) -> Any:
        return _Database.from_dsn(self.dsn, **settings)


class ClaimsByKeyword(ReferenceByKeyword):
    """The same, graded for its claim alone."""

    owned = frozenset({"claim_task"})


class AsksTheServer(QueueAdapter):
    """Correct: every time is the server's own, and the holder is told by its attempt."""

    NEW = "id = %s AND created_at_utc = CURRENT_TIMESTAMP"  # and not the first of the same key
    DUE = "run_after_utc <= CURRENT_TIMESTAMP"
    OVER = "status = 'leased' AND lease_until_utc <= CURRENT_TIMESTAMP"
    OLD = "status = 'completed' AND finished_at_utc < CURRENT_TIMESTAMP - make_interval(secs => %s)"
    LATER = "CURRENT_TIMESTAMP + make_interval(secs => %s)"
    HELD = "id = %s AND status = 'leased' AND locked_by = %s AND attempts = %s"
    FREE = "locked_by = NULL, reserved_at_utc = NULL, lease_until_utc = NULL, updated_at_utc = CURRENT_TIMESTAMP"

    def enqueue(self, type: str, payload: Any, *, delay_seconds: float = 0.0, **options: Any) -> Any:
        with self.db.transaction() as connection:
            task_id = self.reference.enqueue_in(connection, type, payload, **options)
            self.put_off(connection, task_id, delay_seconds)
            return task_id

    def put_off(self, connection: Any, task_id: Any, seconds: float) -> None:
        if seconds:
            connection.execute(
                f"UPDATE task_queue SET run_after_utc = {self.LATER} WHERE {self.NEW}", (seconds, task_id)
            )

    def claim_task(self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float) -> Task | None:
        self.reclaim_expired()
        with self.db.transaction() as connection:
            row = connection.execute(
                f"UPDATE task_queue SET status = 'leased', locked_by = %s, attempts = attempts + 1, "
                f"reserved_at_utc = CURRENT_TIMESTAMP, lease_until_utc = {self.LATER} WHERE id = (SELECT id "
                f"FROM task_queue WHERE status = 'queued' AND {self.DUE} AND attempts < max_attempts "
                f"AND compatibility::jsonb <@ %s::jsonb ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING {TASK}",
                (worker_id, lease_seconds, self.db_json(capabilities)),
            ).fetchone()
            return row and self.task_of(dict(zip(row.keys(), row, strict=True)))

    def db_json(self, value: Any) -> str:
        import json

        return json.dumps(value)

    def task_of(self, row: Mapping[str, Any]) -> Task:
        return Task(**row)

    def fence(self, task: Task, worker_id: str) -> tuple[Any, ...]:
        return task.id, worker_id, task.attempts

    def change(self, sets: str, *values: Any, task: Task, worker_id: str) -> bool:
        with self.db.transaction() as connection:
            statement = f"UPDATE task_queue SET {sets} WHERE {self.HELD}"
            return connection.execute(statement, (*values, *self.fence(task, worker_id))).rowcount == 1

    def complete_task(self, task: Task, worker_id: str) -> bool:
        sets = f"status = 'completed', finished_at_utc = CURRENT_TIMESTAMP, {self.FREE}"
        return self.change(sets, task=task, worker_id=worker_id)

    def renew_lease(self, task: Task, worker_id: str, lease_seconds: float) -> bool:
        return self.change(f"lease_until_utc = {self.LATER}", lease_seconds, task=task, worker_id=worker_id)

    def fail_task(self, task: Task, worker_id: str, error: str, *, retry: bool = True) -> bool:
        if not retry or task.attempts >= task.max_attempts:
            sets = f"status = 'failed', error_message = %s, finished_at_utc = CURRENT_TIMESTAMP, {self.FREE}"
            return self.change(sets, error, task=task, worker_id=worker_id)
        seconds = min(300.0, 2.0 ** min(task.attempts - 1, 20))
        sets = f"status = 'queued', error_message = %s, run_after_utc = {self.LATER}, {self.FREE}"
        return self.change(sets, error, seconds, task=task, worker_id=worker_id)

    def reclaim_expired(self) -> int:
        spent = "attempts >= max_attempts"
        with self.db.transaction() as connection:
            return connection.execute(
                f"UPDATE task_queue SET status = CASE WHEN {spent} THEN 'failed' ELSE 'queued' END, "
                f"finished_at_utc = CASE WHEN {spent} THEN CURRENT_TIMESTAMP END, {self.FREE}, "
                f"error_message = CASE WHEN {spent} THEN coalesce(error_message, 'lease over') ELSE error_message END "
                f"WHERE {self.OVER}"
            ).rowcount

    def delete_finished(self, older_than_seconds: float) -> int:
        some = f"DELETE FROM task_queue WHERE id IN (SELECT id FROM task_queue WHERE {self.OLD} LIMIT 500)"
        total = 0
        while True:
            with self.db.transaction() as connection:
                deleted = connection.execute(some, (older_than_seconds,)).rowcount
            total += deleted
            if not deleted:
                return total


breaks_it = partial(breaks, twin=AsksTheServer)


@breaks_it("CLM-04", ORACLE, r"lease_until_utc is 2\.5 s after the claim; seen \+2 s from it")
class LeasesOfWholeSeconds(AsksTheServer):
    """Cuts the fraction of a second off a lease."""

    LATER = "CURRENT_TIMESTAMP + make_interval(secs => floor(%s))"


@breaks_it("LSE-05", DIRECT, r"nobody else gets the task 0\.999 s after a claim by claim_task")
class TakesBackALittleEarly(AsksTheServer):
    """Takes back what will be over in a moment."""

    OVER = "status = 'leased' AND lease_until_utc <= CURRENT_TIMESTAMP + interval '0.3 s'"


@breaks_it("MNT-05", MODEL, r"the lease of 1 is over; seen 0")
class NeverTakesBack(AsksTheServer):
    """Leaves leases that are over where they are."""

    OVER = "status = 'leased' AND lease_until_utc <= CURRENT_TIMESTAMP - interval '1 year'"


@breaks_it("FIN-02", MODEL, r"expected False: .*; seen True")
class FencesOnTheWorkerAlone(AsksTheServer):
    """Takes a completion of an earlier attempt of the same worker."""

    HELD = "id = %s AND status = 'leased' AND locked_by = %s AND %s > 0"


@breaks_it("ENQ-06", MODEL, r"is not due for another")
class ForgetsDelays(AsksTheServer):
    """Hands tasks out as soon as they are there."""

    DUE = "run_after_utc <= CURRENT_TIMESTAMP + interval '1 year'"


@breaks_it("FIN-05", MODEL, r"run_after_utc of task \d+ is")
class FailsWithoutABackoff(AsksTheServer):
    """Makes a failed task due at once."""

    def fail_task(self, task: Task, worker_id: str, error: str, *, retry: bool = True) -> bool:
        failed = super().fail_task(task, worker_id, error, retry=retry)
        with self.db.transaction() as connection:
            connection.execute("UPDATE task_queue SET run_after_utc = CURRENT_TIMESTAMP WHERE status = 'queued'")
        return failed


@breaks_it("MNT-01", MODEL, r"deleted \(none\); seen 1")
class DeletesASecondEarly(AsksTheServer):
    """Deletes what will be old enough in a second."""

    OLD = "status = 'completed' AND finished_at_utc < CURRENT_TIMESTAMP + interval '2 s' - make_interval(secs => %s)"


# --- correct, but not all of them can be judged -----------------------------------------------------------------------


class MixesClocks(AsksTheServer):
    """Delays by Python's clock, and asks the server's when it claims."""

    def put_off(self, connection: Any, task_id: Any, seconds: float) -> None:
        due = datetime.now(UTC) + timedelta(seconds=seconds)
        connection.execute(f"UPDATE task_queue SET run_after_utc = %s WHERE {self.NEW}", (due, task_id))


class FencesOnTheLease(AsksTheServer):
    """Tells the holder by when its lease is over."""

    HELD = "id = %s AND status = 'leased' AND locked_by = %s AND lease_until_utc = %s"

    def fence(self, task: Task, worker_id: str) -> tuple[Any, ...]:
        return task.id, worker_id, task.lease_until_utc


class FencesOnAReceipt(FencesOnTheLease):
    """Keeps that in the handle."""

    def task_of(self, row: Mapping[str, Any]) -> Task:
        return Task(**row, handle=row["lease_until_utc"])

    def fence(self, task: Task, worker_id: str) -> tuple[Any, ...]:
        return task.id, worker_id, task.handle


class CutsItsTimes(AsksTheServer):
    """Stores whole seconds."""

    LATER = "date_trunc('second', CURRENT_TIMESTAMP) + make_interval(secs => %s)"


class _Altered(AsksTheServer):
    ALTERS = ""

    def open_database(self, **settings: Any) -> Any:
        database = super().open_database(**settings)
        make = database.initialize_schema

        def initialize_schema() -> None:
            make()
            with database.transaction() as connection:
                connection.execute(self.ALTERS)

        database.initialize_schema = initialize_schema
        return database


class TimesAsText(_Altered):
    """Keeps when a task is due in a text."""

    ALTERS = "ALTER TABLE task_queue ADD own_due text"
    DUE = "coalesce(own_due::timestamptz, run_after_utc) <= CURRENT_TIMESTAMP"

    def put_off(self, connection: Any, task_id: Any, seconds: float) -> None:
        super().put_off(connection, task_id, seconds)
        statement = f"UPDATE task_queue SET own_due = ({self.LATER})::text WHERE {self.NEW}"
        connection.execute(statement, (seconds, task_id))


class TimesAsSeconds(_Altered):
    """Keeps when a task is due in whole seconds since 1970, rounded up."""

    NEW = "id = %s"
    ALTERS = "ALTER TABLE task_queue ADD own_due bigint"
    DUE = "coalesce(to_timestamp(own_due), run_after_utc) <= CURRENT_TIMESTAMP"

    def put_off(self, connection: Any, task_id: Any, seconds: float) -> None:
        super().put_off(connection, task_id, seconds)
        statement = f"UPDATE task_queue SET own_due = ceil(extract(epoch FROM {self.LATER})) WHERE {self.NEW}"
        connection.execute(statement, (seconds, task_id))


class TimesOfWholeSeconds(_Altered):
    """Has a column that holds no fraction of a second."""

    ALTERS = "ALTER TABLE task_queue ADD own_seen timestamptz(0)"


class StaysInATransaction(AsksTheServer):
    """Keeps the row of a claimed task locked, on a connection that it forgets."""

    def claim_task(self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float) -> Task | None:
        task = super().claim_task(worker_id, capabilities, lease_seconds)
        if task is not None:
            self.forgotten = psycopg.connect(self.dsn)
            self.forgotten.execute("SELECT FROM task_queue WHERE id = %s FOR UPDATE", (task.id,))
        return task

    def close(self) -> None:
        if hasattr(self, "forgotten"):
            self.forgotten.close()
        super().close()
