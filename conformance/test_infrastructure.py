"""Worker 01: the database object and the tables, by direct examples."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from pytest_taskq.conformance.database import fresh_database, in_another_thread, refusal_of, settings_taken, using
from pytest_taskq.conformance.scope import not_offered
from pytest_taskq.marks import requirement
from pytest_taskq.reference_impl import QueueDatabaseError, QueueSchemaError, schema_problems

if TYPE_CHECKING:
    from pytest_taskq.contract import Database
    from pytest_taskq.grading.record import Record
    from pytest_taskq.subject import QueueUnderTest

_OUT_OF_RANGE: tuple[tuple[str, object], ...] = (
    ("busy_timeout", -1),
    ("busy_timeout", "soon"),
    ("synchronous", "SOMETIMES"),
    ("synchronous", "OFF"),
)


def pragmas(database: Database) -> dict[str, object]:
    """Return what is in force on the connections for reads and for writes, where they agree."""
    found: dict[str, object] = {}
    for kind, context in (("read", database.connection), ("write", database.transaction)):
        with context() as connection:
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout"):
                found[f"{name} ({kind})"] = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return found


class TestInfrastructure:
    """The database."""

    @requirement("INF-01")
    def test_a_setting_without_a_meaning_is_refused_by_name_and_value(
        self, taskq_queue: QueueUnderTest, taskq_record: Record
    ) -> None:
        names, any_name = settings_taken(taskq_queue)
        if not names and not any_name:
            not_offered(taskq_record, "INF-01", "open_database takes no settings")
            return
        bad = [(name, value) for name, value in _OUT_OF_RANGE if any_name or name in names]
        for name, value in (*bad, *([("no_such_setting", 1)] if any_name else [])):
            error = refusal_of(taskq_queue, **{name: value})
            named = error is not None and name in str(error) and str(value) in str(error)
            expected = f"open_database({name}={value!r}) is refused with name and value"
            taskq_queue.require(named, expected, "it works" if error is None else repr(error), method="open_database")

    @requirement("INF-02")
    def test_a_fresh_database_opens_answers_and_is_whole(self, taskq_queue: QueueUnderTest) -> None:
        with fresh_database(taskq_queue) as (database, _):
            database.initialize_schema()
            with database.connection() as connection:
                answer = connection.execute("PRAGMA integrity_check").fetchone()[0]
        taskq_queue.require(answer == "ok", "the integrity check says ok", answer, method="open_database")

    @requirement("INF-03")
    def test_the_tables_are_those_of_the_schema(self, taskq_queue: QueueUnderTest, taskq_record: Record) -> None:
        with fresh_database(taskq_queue) as (database, _), database.connection() as connection:
            problems, notes = schema_problems(connection)
        taskq_queue.require(not problems, "the schema of version 1", "; ".join(problems), method="open_database")
        taskq_record.explored(f"beside the contract: {'; '.join(notes) or 'nothing'}")

    @requirement("INF-04")
    def test_connections_of_every_thread_are_configured(self, taskq_queue: QueueUnderTest) -> None:
        with using(taskq_queue, "pragmas of its connections, in two threads") as database:
            here, there = pragmas(database), in_another_thread(lambda: pragmas(database))
        for name, value in (*here.items(), *there.items()):
            kind = name.partition(" ")[0]
            fits = value == "wal" if kind == "journal_mode" else isinstance(value, int) and value >= 1
            taskq_queue.require(fits, f"{name} is {'wal' if kind == 'journal_mode' else 'at least 1'}", value)

    @requirement("INF-05")
    def test_rows_answer_to_index_and_to_name(self, taskq_queue: QueueUnderTest) -> None:
        task_id = taskq_queue.enqueue("job", {"n": 1})
        with using(taskq_queue, "SELECT id, type FROM task_queue") as database, database.connection() as connection:
            row = connection.execute("SELECT id, type FROM task_queue").fetchone()
            seen = (row[0], row["id"], row["type"])
        taskq_queue.require(seen == (task_id, task_id, "job"), f"{(task_id, task_id, 'job')}", seen)

    @requirement("INF-08")
    def test_errors_of_the_driver_are_mapped_and_chained(self, taskq_queue: QueueUnderTest) -> None:
        expected = {"SELECT * FROM no_such_table": QueueSchemaError, "SELEC nonsense": QueueDatabaseError}
        for statement, kind in expected.items():
            error = self.raised_by(taskq_queue, statement)
            fits = isinstance(error, kind) and isinstance(error.__cause__, sqlite3.Error)
            taskq_queue.require(fits, f"{statement!r} raises {kind.__name__} with its cause", repr(error))

    @requirement("INF-08")
    def test_an_exception_of_the_caller_comes_out_and_rolls_back(self, taskq_queue: QueueUnderTest) -> None:
        with using(taskq_queue, "an exception inside transaction()") as database:
            error: Exception | None = None
            try:
                with database.transaction() as connection:
                    connection.execute("INSERT INTO task_queue (type, payload) VALUES ('job', '{}')")
                    raise LookupError("of the caller")  # noqa: TRY301 - this is what is tried
            except Exception as caught:  # noqa: BLE001 - any other is the finding
                error = caught
        taskq_queue.require(type(error) is LookupError, "the caller's LookupError", repr(error))
        left = taskq_queue.sql("SELECT count(*) FROM task_queue")[0][0]
        taskq_queue.require(left == 0, "its INSERT is rolled back", f"{left} rows")

    @staticmethod
    def raised_by(queue: QueueUnderTest, statement: str) -> Exception | None:
        """Return what a statement inside a transaction raises."""
        with using(queue, f"{statement!r} inside transaction()") as database:
            try:
                with database.transaction() as connection:
                    connection.execute(statement)
            except Exception as error:  # noqa: BLE001 - its class is what is judged
                return error
        return None
