"""Queues that are broken on PostgreSQL, each with the requirement that must fail it there; all are the reference else.

They are no part of the kill matrix, which is of the embedded back end. Those whose calls are broken are graded for what
they override: what they have of the reference is judged once, as the reference.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from mutant_queues.registry import COST, CRASH, DIRECT, HISTORY, Mutant, name_of
from pytest_taskq import Promises, QueueAdapter
from pytest_taskq.reference_impl import Adapter, QueueDatabaseError, Task
from pytest_taskq.reference_impl.postgres.columns import TASK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pytest_taskq.contract import Instrument

ON_POSTGRES: list[Mutant] = []


def breaks(
    requirement: str, instrument: Instrument, reason: str, *, twin: type[Any] = Adapter
) -> Callable[[type[Any]], type[Any]]:
    """Say that the class must be failed by ``requirement`` on PostgreSQL, and ``twin`` be passed."""

    def register(adapter: type[Any]) -> type[Any]:
        does = (adapter.__doc__ or "").strip().partition("\n")[0].removesuffix(".")
        ON_POSTGRES.append(
            Mutant(
                name=adapter.__name__,
                requirement=requirement,
                instrument=instrument,
                adapter=name_of(adapter),
                twin=name_of(twin),
                reason=reason,
                does=does,
            )
        )
        return adapter

    return register


# --- the database -----------------------------------------------------------------------------------------------------


class Altered(Adapter):
    """Changes the tables once they are made."""

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


@breaks("INF-02", DIRECT, "the place that the DSN names; seen UndefinedTable")
class KeepsItsTablesToItself(Altered):
    """Makes temporary tables, which nobody else sees."""

    ALTERS = "ALTER TABLE task_queue RENAME TO hidden; CREATE TEMPORARY TABLE task_queue (type text, payload text)"


@breaks("INF-02", DIRECT, "the integrity check says ok; seen workers_known is a constraint that was never validated")
class NeverValidates(Altered):
    """Adds a constraint that the rows were never held to."""

    ALTERS = """
        ALTER TABLE workers DROP CONSTRAINT IF EXISTS workers_known,
            ADD CONSTRAINT workers_known CHECK (worker_id <> '') NOT VALID
    """


@breaks("INF-03", DIRECT, "max_attempts has the default 3")
class GivesUpEarly(Altered):
    """Gives tasks three attempts."""

    ALTERS = "ALTER TABLE task_queue ALTER max_attempts SET DEFAULT 3"


@breaks("INF-03", DIRECT, "workers.heartbeat_utc is declared timestamp without time zone")
class TimesWithoutAZone(Altered):
    """Stores times that mean another moment in each session."""

    ALTERS = "ALTER TABLE workers ALTER heartbeat_utc TYPE timestamp"


@breaks("INF-03", DIRECT, "the id of a deleted task could be given again")
class CountsIdsByHand(Altered):
    """Takes the next id from the rows that are there."""

    ALTERS = "ALTER TABLE task_queue ALTER id DROP IDENTITY"


@breaks("INF-03", DIRECT, "idempotency_key is not unique")
class KeysOfWhatWaits(Altered):
    """Keys are unique among the tasks that wait only."""

    ALTERS = """
        DROP INDEX task_queue_idempotency_key;
        CREATE UNIQUE INDEX task_queue_idempotency_key ON task_queue (idempotency_key) WHERE status = 'queued'
    """


@breaks("INF-03", DIRECT, "task_queue.payload accepts NULL")
class NoPayload(Altered):
    """Takes tasks without a payload."""

    ALTERS = "ALTER TABLE task_queue ALTER payload DROP NOT NULL"


@breaks("INF-03", DIRECT, "does not refer to task_queue")
class LogsOfNothing(Altered):
    """Logs may be about any number."""

    ALTERS = "ALTER TABLE task_logs DROP CONSTRAINT task_logs_task_id_fkey"


class WithOptions(Adapter):
    """Opens its connections with further options of libpq."""

    OPTIONS = ""

    def open_database(self, **settings: Any) -> Any:
        from pytest_taskq.reference_impl import open_database

        return open_database(self.dsn.replace("options=", f"options={quote(self.OPTIONS)}%20"), **settings)


@breaks("INF-04", DIRECT, "bound on waiting for a lock .* is lock_timeout or statement_timeout")
class WaitsForEver(WithOptions):
    """Waits for the locks of others as long as they last."""

    OPTIONS = "-clock_timeout=0"


@breaks("INF-04", DIRECT, r"transaction_isolation \(read\) is one of .*; seen read uncommitted")
class ReadsUncommitted(WithOptions):
    """Asks for an isolation that PostgreSQL does not have."""

    OPTIONS = "-cdefault_transaction_isolation=read\\ uncommitted"


@breaks("INF-04", DIRECT, "bound on waiting for a lock")
class ConfiguresItsFirstConnection(WithOptions):
    """Bounds the waits of the thread that opens the database, and of no other."""

    OPTIONS = "-clock_timeout=0"

    def open_database(self, **settings: Any) -> Any:
        database = super().open_database(**settings)
        with database.connection() as connection:
            connection.execute("SET lock_timeout = '5s'")
        return database


@breaks("INF-09", HISTORY, r"open raised [\s\S]*(already exists|duplicate key)")
class MakesTablesUnlooked(Adapter):
    """Makes the tables if they are not there, without a lock between the look and the making."""

    def open_database(self, **settings: Any) -> Any:
        from pytest_taskq.reference_impl.postgres import schema

        database = super().open_database(**settings)

        def initialize_schema() -> None:
            with database.connection() as connection:
                if schema.is_complete(connection):
                    return
            with database.transaction() as connection:
                connection.execute(schema._APPLIED)
                for number, script in schema.MIGRATIONS.items():
                    connection.execute(script)
                    connection.execute("INSERT INTO reference_migrations (number) VALUES (%s)", (number,))

        database.initialize_schema = initialize_schema
        return database


# --- cleanup ----------------------------------------------------------------------------------------------------------


@breaks("MNT-03", DIRECT, r"took 2500")
class DeletesAllAtOnce(QueueAdapter):
    """Deletes what is old in one statement."""

    OLD = "status = 'completed' AND finished_at_utc < now() - make_interval(secs => %s)"

    def delete_finished(self, older_than_seconds: float) -> int:
        with self.db.transaction() as connection:
            return connection.execute(f"DELETE FROM task_queue WHERE {self.OLD}", (older_than_seconds,)).rowcount


@breaks("MNT-03", DIRECT, r"took 2500")
class BatchesInOneTransaction(DeletesAllAtOnce):
    """Deletes in batches, each in a savepoint, with triggers switched off, and commits once at the end."""

    def delete_finished(self, older_than_seconds: float) -> int:
        which = f"id IN (SELECT id FROM task_queue WHERE {self.OLD} LIMIT 500)"
        total, gone = 0, 1
        with self.db.transaction() as connection:
            connection.execute("SET LOCAL session_replication_role = replica")
            while gone:
                connection.execute("SAVEPOINT batch")
                gone = connection.execute(f"DELETE FROM task_queue WHERE {which}", (older_than_seconds,)).rowcount
                connection.execute("RELEASE batch")
                total += gone
        return total


# --- deaths -----------------------------------------------------------------------------------------------------------


class InPlainPsycopg(QueueAdapter):
    """Correct: connections of its own, as psycopg makes them, some of them asynchronous; one transaction a call."""

    def connect(self) -> Any:
        import psycopg

        from pytest_taskq.reference_impl.postgres.rows import rows_by_name

        return psycopg.connect(self.dsn, row_factory=rows_by_name)

    def enqueue(self, type: str, payload: Any, **options: Any) -> Any:
        with self.connect() as connection:
            return self.reference.enqueue_in(connection, type, payload, **options)

    def claim_task(self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float) -> Task | None:
        self.reference.reclaim_expired()
        with self.connect() as connection, connection.transaction():
            found = connection.execute(
                "SELECT id FROM task_queue WHERE status = 'queued' AND run_after_utc <= now() "
                "AND attempts < max_attempts AND compatibility::jsonb <@ %s::jsonb ORDER BY id LIMIT 1 "
                "FOR UPDATE SKIP LOCKED",
                (json.dumps(capabilities),),
            ).fetchone()
            return found and self.lease(connection, found["id"], worker_id, lease_seconds)

    def lease(self, connection: Any, task_id: int, worker_id: str, seconds: float) -> Task:
        connection.execute(
            "UPDATE task_queue SET status = 'leased', locked_by = %s, attempts = attempts + 1, "
            "reserved_at_utc = now(), lease_until_utc = now() + make_interval(secs => %s) WHERE id = %s",
            (worker_id, seconds, task_id),
        )
        row = connection.execute(f"SELECT {TASK} FROM task_queue WHERE id = %s", (task_id,)).fetchone()
        return Task(**dict(zip(row.keys(), row, strict=True)))

    async def complete_task(self, task: Task, worker_id: str) -> bool:
        import psycopg

        async with await psycopg.AsyncConnection.connect(self.dsn) as connection:
            done = await connection.execute(
                "UPDATE task_queue SET status = 'completed', finished_at_utc = now(), locked_by = NULL, "
                "reserved_at_utc = NULL, lease_until_utc = NULL WHERE id = %s AND status = 'leased' "
                "AND locked_by = %s AND attempts = %s",
                (task.id, worker_id, task.attempts),
            )
            return done.rowcount == 1


@breaks("ENQ-08", CRASH, r"enqueue[\s\S]+a part of it: idempotency_key is None instead of 'order-7'")
class EnqueuesThenSetsTheKey(QueueAdapter):
    """Sets the key of a new task in a second transaction."""

    def enqueue(self, type: str, payload: Any, *, idempotency_key: str | None = None, **options: Any) -> Any:
        with self.db.connection() as connection:
            known = connection.execute("SELECT id FROM task_queue WHERE idempotency_key = %s", (idempotency_key,))
            for row in known.fetchall():
                return row[0]
        task_id = self.reference.enqueue(type, payload, **options)
        with self.db.transaction() as connection:
            connection.execute("UPDATE task_queue SET idempotency_key = %s WHERE id = %s", (idempotency_key, task_id))
        return task_id


@breaks("ENQ-08", CRASH, r"what the call returned as stored \(4\) survives; seen lost: task 4", twin=InPlainPsycopg)
class AnswersBeforeItCommits(InPlainPsycopg):
    """Commits what it enqueued with the next call."""

    pending: Any = None

    def enqueue(self, type: str, payload: Any, **options: Any) -> Any:
        self.settle()
        connection = self.connect()
        task_id = self.reference.enqueue_in(connection, type, payload, **options)
        if options.get("idempotency_key") is None and payload == {"to": "a"}:
            self.pending = connection
        else:
            connection.commit()
            connection.close()
        return task_id

    def settle(self) -> None:
        pending, self.pending = self.pending, None
        if pending is not None and not pending.closed:
            pending.commit()
            pending.close()

    def close(self) -> None:
        self.settle()
        super().close()


@breaks("ENQ-08", CRASH, r"all 3 new tasks or none; seen 1 new tasks")
class EnqueuesABatchOneByOne(Adapter):
    """Each item of a batch has a transaction of its own."""

    def enqueue_many(self, items: Iterable[Mapping[str, Any]]) -> list[Any]:
        return [self.reference.enqueue(**item) for item in items]


@breaks("CLM-06", CRASH, r"nothing between; seen task \d+: status 'leased'", twin=InPlainPsycopg)
class NamesTheHolderLater(InPlainPsycopg):
    """The status is set first, holder and deadline in a second transaction."""

    def lease(self, connection: Any, task_id: int, worker_id: str, seconds: float) -> Task:
        with self.connect() as other:  # the lock on the row is let go of first
            connection.execute("ROLLBACK")
            connection.execute("BEGIN")
            other.execute("UPDATE task_queue SET status = 'leased' WHERE id = %s", (task_id,))
        return super().lease(connection, task_id, worker_id, seconds)


@breaks("CLM-05", CRASH, r"is claimed 3 times; seen 5 claims or more", twin=InPlainPsycopg)
class CountsTheAttemptAtTheEnd(InPlainPsycopg):
    """Leases in one transaction and counts the attempt in the next."""

    def lease(self, connection: Any, task_id: int, worker_id: str, seconds: float) -> Task:
        task = super().lease(connection, task_id, worker_id, seconds)
        connection.execute("UPDATE task_queue SET attempts = attempts - 1 WHERE id = %s", (task_id,))
        return task

    def claim_task(self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float) -> Task | None:
        task = super().claim_task(worker_id, capabilities, lease_seconds)
        if task is not None:
            with self.connect() as connection:
                connection.execute("UPDATE task_queue SET attempts = attempts + 1 WHERE id = %s", (task.id,))
        return task


@breaks("FIN-06", CRASH, r"complete_task[\s\S]+a state between", twin=InPlainPsycopg)
class CompletesInTwoSteps(QueueAdapter):
    """The status first, the end of the lease in a second transaction."""

    def complete_task(self, task: Task, worker_id: str) -> bool:
        held = (task.id, worker_id, task.attempts)
        with self.db.transaction() as connection:
            done = connection.execute(
                "UPDATE task_queue SET status = 'completed', finished_at_utc = now() "
                "WHERE id = %s AND status = 'leased' AND locked_by = %s AND attempts = %s",
                held,
            ).rowcount
        if done:
            with self.db.transaction() as connection:
                connection.execute(
                    "UPDATE task_queue SET locked_by = NULL, reserved_at_utc = NULL, lease_until_utc = NULL "
                    "WHERE id = %s",
                    (task.id,),
                )
        return done == 1


@breaks("MNT-04", CRASH, r"gone or as it was[\s\S]+status 'deleting'")
class MarksBeforeItDeletes(DeletesAllAtOnce):
    """Marks what is old in one transaction and deletes what it marked in the next."""

    def delete_finished(self, older_than_seconds: float) -> int:
        with self.db.transaction() as connection:
            mark = f"UPDATE task_queue SET status = 'deleting' WHERE {self.OLD}"
            marked = connection.execute(mark, (older_than_seconds,)).rowcount
        with self.db.transaction() as connection:
            connection.execute("DELETE FROM task_queue WHERE status = 'deleting'")
        return marked


# --- lost connections and power ---------------------------------------------------------------------------------------


@breaks("DUR-02", CRASH, r"the task is completed, as the call returned True[\s\S]+status 'leased'", twin=InPlainPsycopg)
class SaysCompletedWhateverHappens(QueueAdapter):
    """A completion that cannot be stored is reported as one that was."""

    def complete_task(self, task: Task, worker_id: str) -> bool:
        try:
            return self.reference.complete_task(task, worker_id)
        except QueueDatabaseError:
            return True


@breaks("DUR-02", CRASH, r"an error that says what happened; seen claim_task\(.*\) returns None, as if nothing had")
class TakesAnErrorForAnEmptyQueue(QueueAdapter):
    """A claim that fails returns None."""

    def claim_task(self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float) -> Task | None:
        try:
            return self.reference.claim_task(worker_id, capabilities, lease_seconds)
        except QueueDatabaseError:
            return None


@breaks("DUR-02", CRASH, r"works again when the fault is gone; seen raises OperationalError", twin=InPlainPsycopg)
class KeepsOneConnectionForEver(InPlainPsycopg):
    """Claims on a connection that is made once."""

    once: Any = None

    def connect(self) -> Any:
        from contextlib import nullcontext

        self.once = self.once or super().connect()
        self.once.autocommit = True
        return nullcontext(self.once)

    def close(self) -> None:
        if self.once is not None:
            self.once.close()
        super().close()

    def enqueue(self, type: str, payload: Any, **options: Any) -> Any:
        return self.reference.enqueue(type, payload, **options)


class PoweredReference(Adapter):
    """Promises that a power cut loses nothing."""

    promises: ClassVar[Promises] = Promises(durability="power")


@breaks("DUR-01", CRASH, r"synchronous_commit is off when \w+", twin=PoweredReference)
class PromisesPowerAndDoesNotWait(WithOptions):
    """Promises the same and lets all its commits be lost."""

    OPTIONS = "-csynchronous_commit=off"
    promises: ClassVar[Promises] = Promises(durability="power")


@breaks("DUR-01", CRASH, r"synchronous_commit is off when complete_task runs COMMIT", twin=PoweredReference)
class CompletesInAHurry(QueueAdapter):
    """Promises the same, and lets the commits of completions be lost."""

    promises: ClassVar[Promises] = Promises(durability="power")

    def complete_task(self, task: Task, worker_id: str) -> bool:
        with self.db.transaction() as connection:
            connection.execute("SET LOCAL synchronous_commit = off")
            return (
                connection.execute(
                    "UPDATE task_queue SET status = 'completed', finished_at_utc = now(), locked_by = NULL, "
                    "reserved_at_utc = NULL, lease_until_utc = NULL "
                    "WHERE id = %s AND status = 'leased' AND locked_by = %s",
                    (task.id, worker_id),
                ).rowcount
                == 1
            )


# --- cost -------------------------------------------------------------------------------------------------------------


class ClaimsByAnIndex(Altered, InPlainPsycopg):
    """Correct: claims what has been due for longest, through an index of its own."""

    owned: ClassVar[frozenset[str]] = frozenset()
    ALTERS = "CREATE INDEX IF NOT EXISTS own_due ON task_queue (run_after_utc, id) WHERE status = 'queued'"
    ORDER = "run_after_utc, id"
    BEFORE = "SELECT 1"

    def claim_task(self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float) -> Task | None:
        self.reference.reclaim_expired()
        with self.connect() as connection, connection.transaction():
            connection.execute(self.BEFORE)
            found = connection.execute(
                "SELECT id FROM task_queue WHERE status = 'queued' AND run_after_utc <= now() "
                f"AND attempts < max_attempts AND compatibility = '{{}}' ORDER BY {self.ORDER} LIMIT 1 "
                "FOR UPDATE SKIP LOCKED",
            ).fetchone()
            return found and self.lease(connection, found["id"], worker_id, lease_seconds)


@breaks("SCH-08", COST, r"claim_task reads \d+ rows with 5000 queued", twin=ClaimsByAnIndex)
class SortsByAnExpression(ClaimsByAnIndex):
    """Sorts all that waits by what no index has."""

    ORDER = "lower(type), run_after_utc, id"


@breaks("INF-07", COST, r"claim_task reads only the rows that concern it[\s\S]+task_queue, ", twin=ClaimsByAnIndex)
class CountsBeforeItClaims(ClaimsByAnIndex):
    """Counts the tasks before each claim."""

    BEFORE = "SELECT count(*) FROM task_queue"


@breaks("SCH-08", COST, r"claim_task reads \d+ rows with 10000 delayed", twin=ClaimsByAnIndex)
@breaks("INF-07", COST, r"claim_task reads only the rows that concern it", twin=ClaimsByAnIndex)
class WalksPastTheDelayed(ClaimsByAnIndex):
    """Looks at what is not due yet, and at what is finished, before it comes to what it may have."""

    ORDER = "id"
    ALTERS = "DROP INDEX IF EXISTS own_due"


@breaks("INF-07", COST, r"complete_task reads only[\s\S]+task_queue, ")
class ComparesIdsAsText(QueueAdapter):
    """Finds the task to complete by an expression, inside a function of the server."""

    def complete_task(self, task: Task, worker_id: str) -> bool:
        with self.db.transaction() as connection:
            connection.execute("""
                CREATE OR REPLACE FUNCTION own_complete(wanted text, holder text, attempt bigint) RETURNS boolean
                LANGUAGE plpgsql AS $$ BEGIN
                    UPDATE task_queue SET status = 'completed', finished_at_utc = now(), locked_by = NULL,
                        reserved_at_utc = NULL, lease_until_utc = NULL
                    WHERE id::text = wanted AND status = 'leased' AND locked_by = holder AND attempts = attempt;
                    RETURN FOUND;
                END $$
            """)
            held = (str(task.id), worker_id, task.attempts)
            return connection.execute("SELECT own_complete(%s, %s, %s)", held).fetchone()[0]


@breaks("INF-07", COST, r"delete_finished reads only")
class DeletesByAge(QueueAdapter):
    """Finds what is old by an expression that no index has."""

    def delete_finished(self, older_than_seconds: float) -> int:
        old = "status = 'completed' AND extract(epoch FROM now() - finished_at_utc) > %s"
        total, gone = 0, 1
        while gone:
            with self.db.transaction() as connection:
                batch = f"id IN (SELECT id FROM task_queue WHERE {old} LIMIT 1000)"
                gone = connection.execute(f"DELETE FROM task_queue WHERE {batch}", (older_than_seconds,)).rowcount
            total += gone
        return total
