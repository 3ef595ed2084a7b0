"""Queues that are broken on PostgreSQL, each with the requirement that must fail it there; all are the reference else.

They are no part of the kill matrix, which is of the embedded back end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mutant_queues.registry import DIRECT, HISTORY, Mutant, name_of
from pytest_taskq.reference_impl import Adapter

if TYPE_CHECKING:
    from collections.abc import Callable

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

    ALTERS = "ALTER TABLE workers DROP CONSTRAINT IF EXISTS workers_known, ADD CONSTRAINT workers_known CHECK (worker_id <> '') NOT VALID"


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
class DeletesAllAtOnce(Adapter):
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
