"""Worker 01: the database object and the tables, by direct examples."""

from __future__ import annotations

import re
from contextlib import closing
from typing import TYPE_CHECKING

from pytest_taskq.conformance.database import (
    bounded,
    fresh_database,
    impatient_database,
    in_another_thread,
    locked_by_another,
    refusal_of,
    settings_taken,
    using,
)
from pytest_taskq.conformance.odd_rows import ODD_ROWS, READERS, read_odd_row
from pytest_taskq.conformance.scope import not_offered
from pytest_taskq.marks import requirement
from pytest_taskq.reference_impl import QueueBusyError, QueueDatabaseError, QueueSchemaError, schema_problems

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_taskq.contract import Database
    from pytest_taskq.contract.settings import Setting
    from pytest_taskq.grading.record import Record
    from pytest_taskq.subject import QueueUnderTest
    from pytest_taskq.subject.store import Store

_OUT_OF_RANGE: tuple[tuple[str, object], ...] = (
    ("busy_timeout", -1),
    ("busy_timeout", "soon"),
    ("busy_timeout", float("nan")),
    ("synchronous", "SOMETIMES"),
    ("synchronous", "OFF"),
)
# What a text that tells a range has in it, after the value that was refused is taken out.
_RANGE: Mapping[str, str] = {
    "busy_timeout": r"\d|number|float|integer|positive|negative|least|zero|finite|second",
    "synchronous": "normal|full|extra",
}


_REFUSED_BY_THE_DATABASE: Mapping[str, type[Exception]] = {
    "SELECT * FROM no_such_table": QueueSchemaError,
    "SELECT no_such_column FROM task_queue": QueueSchemaError,
    "SELEC nonsense": QueueDatabaseError,
    "INSERT INTO task_queue (type) VALUES (NULL)": QueueDatabaseError,
}


def is_mapped(queue: QueueUnderTest, error: Exception | None, kind: type[Exception]) -> bool:
    """Whether it is of the contract's class and carries the driver's error."""
    return isinstance(error, kind) and isinstance(error.__cause__, queue.store.driver_error)


def described(error: Exception | None) -> str:
    """Return an error with its cause, for a reader."""
    if error is None:
        return "it raises nothing"
    cause = "no cause" if error.__cause__ is None else f"the cause {error.__cause__!r:.200}"
    return f"it raises {error!r:.300} with {cause}"


def settings_of(database: Database, store: Store) -> list[tuple[str, Setting]]:
    """Return what is in force on the connections for reads and for writes, and for which of them."""
    found: list[tuple[str, Setting]] = []
    for kind, context in (("read", database.connection), ("write", database.transaction)):
        with context() as connection:
            found += [(kind, setting) for setting in store.settings(connection)]
    return found


def rows_in(store: Store) -> str:
    """Return what a connection of the kit's own finds there."""
    try:
        with closing(store.connect()) as sql:
            found: int = sql.run("SELECT count(*) FROM task_queue", ())[0][0]
    except store.driver_error as error:
        return f"{type(error).__name__}: {error}"
    return "1 task" if found == 1 else f"{found} tasks"


class TestInfrastructure:
    """The database."""

    @requirement("INF-01")
    def test_a_setting_without_a_meaning_is_refused_by_name_and_value(
        self, taskq_queue: QueueUnderTest, taskq_record: Record
    ) -> None:
        names, any_name = settings_taken(taskq_queue)
        bad = [(name, value) for name, value in _OUT_OF_RANGE if any_name or name in names]
        if not bad:
            not_offered(taskq_record, "INF-01", "open_database takes neither busy_timeout nor synchronous")
            return
        for name, value in (*bad, *([("no_such_setting", 1)] if any_name else [])):
            error = refusal_of(taskq_queue, **{name: value})
            seen = "it works" if error is None else repr(error)
            named = error is not None and name in str(error) and str(value) in str(error)
            expected = f"open_database({name}={value!r}) is refused with name and value"
            taskq_queue.require(named, expected, seen, method="open_database")
            ranged = re.search(_RANGE.get(name, ""), str(error).replace(str(value), "").lower())
            expected = f"the refusal of {name}={value!r} says what is in range"
            taskq_queue.require(ranged, expected, seen, method="open_database")
        taskq_record.explored(f"{len(bad)} values out of range{', and an unknown setting' if any_name else ''}")

    @requirement("INF-02")
    def test_a_fresh_database_opens_answers_and_is_whole(self, taskq_queue: QueueUnderTest) -> None:
        with fresh_database(taskq_queue) as (database, place):
            with bounded(taskq_queue, "initialize_schema() again, a write, a read and the integrity check"):
                database.initialize_schema()
                with database.transaction() as connection:
                    connection.execute("INSERT INTO task_queue (type, payload) VALUES ('job', '{}')")
                with database.connection() as connection:
                    stored = connection.execute("SELECT count(*) FROM task_queue").fetchone()[0]
                    answer = connection.execute(place.integrity_check).fetchone()[0]
            found_there = rows_in(place)
        taskq_queue.require(stored == 1, "it reads the one task that it wrote", stored, method="open_database")
        taskq_queue.require(answer == "ok", "the integrity check says ok", answer, method="open_database")
        expected = "others find the task in the place that the DSN names"
        taskq_queue.require(found_there == "1 task", expected, found_there, method="open_database")

    @requirement("INF-03")
    def test_the_tables_are_those_of_the_schema(self, taskq_queue: QueueUnderTest, taskq_record: Record) -> None:
        with fresh_database(taskq_queue) as (database, _), database.connection() as connection:
            problems, notes = schema_problems(connection)
        taskq_queue.require(not problems, "the schema of version 1", "; ".join(problems), method="open_database")
        taskq_record.explored(f"beside the contract: {'; '.join(notes) or 'nothing'}")

    @requirement("INF-04")
    def test_connections_of_every_thread_are_configured(self, taskq_queue: QueueUnderTest) -> None:
        store = taskq_queue.store
        with using(taskq_queue, "settings of its connections, in two threads") as database:
            here, there = settings_of(database, store), in_another_thread(lambda: settings_of(database, store))
        for kind, one in (*here, *there):
            taskq_queue.require(one.fits, f"{one.name} ({kind}) is {one.expected}", one.value, method="open_database")

    @requirement("INF-05")
    def test_rows_answer_to_index_and_to_name(self, taskq_queue: QueueUnderTest) -> None:
        task_id = taskq_queue.enqueue("job", {"n": 1})
        with using(taskq_queue, "SELECT id, type FROM task_queue") as database, database.connection() as connection:
            row = connection.execute("SELECT id, type FROM task_queue").fetchone()
            seen = (row[0], row["id"], row["type"])
        taskq_queue.require(
            seen == (task_id, task_id, "job"), f"{(task_id, task_id, 'job')}", seen, method="open_database"
        )

    @requirement("INF-05")
    def test_a_task_of_an_odd_row_shows_the_row_or_a_clear_error(
        self, taskq_queue: QueueUnderTest, taskq_record: Record
    ) -> None:
        own = taskq_queue.subject.own
        methods = [name for name in READERS if {name, "open_database"} & own and taskq_queue.subject.offers(name)]
        shown = sum(read_odd_row(taskq_queue, {}, method) for method in methods)
        # Another team's migration, while this team's code is running.
        taskq_queue.sql("ALTER TABLE task_queue ADD COLUMN of_another_team TEXT DEFAULT 'noted'")
        shown += sum(read_odd_row(taskq_queue, columns, method) for columns in ODD_ROWS for method in methods)
        taskq_queue.precondition(shown, "an odd row that the tables take and that is shown")
        taskq_record.explored(f"{len(ODD_ROWS)} odd rows, shown {shown} times by {', '.join(methods)}")

    @requirement("INF-08")
    def test_errors_of_the_driver_are_mapped_and_chained(self, taskq_queue: QueueUnderTest) -> None:
        for statement, kind in _REFUSED_BY_THE_DATABASE.items():
            for door in ("transaction", "connection") if statement.startswith("SELECT") else ("transaction",):
                error = self.raised_by(taskq_queue, statement, door)
                expected = f"{statement!r} inside {door}() raises {kind.__name__} with the driver's error as its cause"
                taskq_queue.require(
                    is_mapped(taskq_queue, error, kind), expected, described(error), method="open_database"
                )

    @requirement("INF-08")
    def test_a_lock_that_others_hold_too_long_is_a_busy_error(
        self, taskq_queue: QueueUnderTest, taskq_record: Record
    ) -> None:
        with impatient_database(taskq_queue) as database:
            with locked_by_another(taskq_queue):
                error = self.raised_by_a_write(taskq_queue, database)
            expected = "a write, while others hold the lock, raises QueueBusyError with the driver's error as its cause"
            taskq_queue.require(
                is_mapped(taskq_queue, error, QueueBusyError), expected, described(error), method="open_database"
            )
            error = self.raised_by_a_write(taskq_queue, database)
            expected = "the same database object writes again once the lock is free"
            taskq_queue.require(error is None, expected, described(error), method="open_database")
        left = taskq_queue.sql("SELECT count(*) FROM task_queue")[0][0]
        taskq_queue.require(left == 1, "one row of two writes is stored", f"{left} rows", method="open_database")
        taskq_record.explored("one lock held by another connection, and released")

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
    def raised_by(queue: QueueUnderTest, statement: str, door: str) -> Exception | None:
        """Return what a statement inside ``transaction()`` or ``connection()`` raises."""
        with using(queue, f"{statement!r} inside {door}()") as database:
            try:
                with getattr(database, door)() as connection:
                    connection.execute(statement)
            except Exception as error:  # noqa: BLE001 - its class is what is judged
                return error
        return None

    @staticmethod
    def raised_by_a_write(queue: QueueUnderTest, database: Database) -> Exception | None:
        """Return what an INSERT in a transaction of its own raises."""
        with bounded(queue, "an INSERT inside transaction()"):
            try:
                with database.transaction() as connection:
                    connection.execute("INSERT INTO task_queue (type, payload) VALUES ('job', '{}')")
            except Exception as error:  # noqa: BLE001 - its class is what is judged
                return error
        return None
