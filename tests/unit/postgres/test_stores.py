"""Stores on PostgreSQL: a schema of the run's own, made fresh again, never left behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from pytest_taskq.interleaving.entropy import repeatable
from pytest_taskq.postgres.clock import ShadowClock
from pytest_taskq.postgres.server import connected, schema_of_its_own
from pytest_taskq.postgres.stores import SchemaStore
from pytest_taskq.reference_impl import Adapter
from pytest_taskq.subject import Bench, ContractViolation, QueueUnderTest, UnsupportedError

_SCHEMAS = "SELECT count(*) FROM pg_namespace WHERE nspname = %s"


def on(bench: Bench, *checks: Callable[[QueueUnderTest], object]) -> list[object]:
    """Return what each check returns, each on a fresh store."""

    def check() -> list[object]:
        found = []
        for one in checks:
            with bench.queue() as queue:
                found.append(one(queue))
        return found

    return bench.run(check)


def schema_of(queue: QueueUnderTest) -> str:
    return str(queue.sql("SELECT current_schema()")[0][0])


def test_a_used_schema_is_as_fresh_as_a_new_one(bench_of) -> None:
    def use(queue: QueueUnderTest) -> tuple[str, object, dict[str, int], list[object]]:
        before = (
            queue.queue_stats(),
            [row[0] for row in queue.sql("SELECT idempotency_key FROM reference_retired_keys")],
        )
        task_id = queue.enqueue(idempotency_key="k")
        queue.sql("UPDATE task_queue SET status = 'completed', finished_at_utc = '2001-01-01'")
        assert queue.delete_finished(1.0) == 1
        return schema_of(queue), task_id, *before

    first, second = on(bench_of(Adapter), use, use)
    assert first == second
    assert first[1:] == (1, dict.fromkeys(("queued", "leased", "completed", "failed", "cancelled"), 0), [])


def test_a_schema_with_other_tables_is_not_used_again(bench_of) -> None:
    def alter(queue: QueueUnderTest) -> str:
        queue.sql("ALTER TABLE task_queue ADD COLUMN of_another_team text")
        return schema_of(queue)

    first, second = on(bench_of(Adapter), alter, schema_of)
    assert first != second


def test_every_store_begins_at_the_same_virtual_moment_and_time_passes_when_told(bench_of) -> None:
    def look(queue: QueueUnderTest) -> tuple[str, str]:
        first = str(queue.sql("SELECT now()")[0][0])
        queue.advance(90.0)
        task = queue.get_task(queue.enqueue())
        assert task is not None
        return first, str(task.created_at_utc)

    first, second = on(bench_of(Adapter), look, look)
    assert first == second == ("2030-12-31 23:59:50", "2031-01-01 00:01:20")


def test_what_a_killed_client_left_behind_is_over_before_the_next_has_the_schema(bench_of) -> None:
    def leave(queue: QueueUnderTest) -> str:
        abandoned = psycopg.connect(queue.dsn)
        abandoned.execute("INSERT INTO task_queue (type, payload) VALUES ('ghost', '{}')")
        queue.left = abandoned  # type: ignore[attr-defined]  # still open when the store is made fresh
        left.append(abandoned)
        return schema_of(queue)

    left: list[psycopg.Connection[object]] = []
    first, second = on(bench_of(Adapter), leave, schema_of)
    assert first == second
    with pytest.raises(psycopg.OperationalError):
        left[0].execute("SELECT 1")


def test_nothing_is_left_on_the_server(bench_of, postgres_database: str) -> None:
    bench = bench_of(Adapter)
    (schema,) = on(bench, schema_of)
    with connected(postgres_database) as connection:
        assert connection.execute(_SCHEMAS, (schema,)).fetchone() == (1,)
        bench._stores.close()
        assert connection.execute(_SCHEMAS, (schema,)).fetchone() == (0,)


def test_a_code_that_cannot_make_its_tables_leaves_nothing_either(bench_of, postgres_database: str) -> None:
    class NoTables(Adapter):
        def open_database(self, **settings):
            raise LookupError(self.dsn)

    count = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'taskq\\_%'"
    with connected(postgres_database) as connection:
        with pytest.raises(ContractViolation, match="LookupError"):
            on(bench_of(NoTables), schema_of)
        assert connection.execute(count).fetchall() == [(0,)]


def test_a_schema_whose_clock_cannot_be_installed_is_removed_again(
    postgres_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def install(clock: ShadowClock) -> None:
        made.append(clock)
        raise psycopg.OperationalError("the server goes away")

    monkeypatch.setattr(ShadowClock, "install", install)
    with pytest.raises(psycopg.OperationalError, match="goes away"):
        SchemaStore(postgres_database, tmp_path)
    with connected(postgres_database) as connection:
        assert connection.execute(_SCHEMAS, (made[0].schema,)).fetchone() == (0,)
    assert made[0].connection.closed


def test_what_asks_for_a_file_is_unsupported(bench_of) -> None:
    with pytest.raises(UnsupportedError, match="files of an SQLite database"):
        on(bench_of(Adapter), lambda queue: queue.path)
    with pytest.raises(UnsupportedError, match="PRAGMA"):
        on(bench_of(Adapter), lambda queue: queue.sql("PRAGMA journal_mode"))


def test_a_row_that_the_tables_refuse_is_none(bench_of) -> None:
    def insert(queue: QueueUnderTest) -> list[int | None]:
        rows = (
            {"type": None},
            {"type": b"\xff"},
            {"run_after_utc": "no time"},
            {"run_after_utc": "2001-01-01 00:00:00"},
        )
        return [queue.insert({"type": "job", "payload": "{}", **row}) for row in rows]

    assert [task_id is None for task_id in on(bench_of(Adapter), insert)[0]] == [True, True, True, False]


def test_names_are_not_repeated_where_chance_is(postgres_database: str) -> None:
    with repeatable() as entropy:
        names = set()
        for _ in range(2):
            entropy.begin_step(0, 0)
            with schema_of_its_own(postgres_database) as (_, name):
                names.add(name)
    assert len(names) == 2


def test_what_a_check_that_never_came_back_has_is_dropped_too(bench_of, postgres_database: str) -> None:
    bench = bench_of(Adapter)

    def end_of_the_run_meanwhile() -> None:
        with bench.queue() as queue:
            schema = schema_of(queue)
            bench._stores.close()
            with connected(postgres_database) as connection:
                assert connection.execute(_SCHEMAS, (schema,)).fetchone() == (0,)

    bench.run(end_of_the_run_meanwhile)
