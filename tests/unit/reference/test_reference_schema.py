from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pytest_taskq.reference_impl import (
    Queue,
    QueueDatabase,
    TaskLog,
    Worker,
    quick_validate,
    schema,
    schema_problems,
)

CONTRACT = ";\n".join(statement.rstrip(";") for statement in schema.CONTRACT_STATEMENTS) + ";"


@pytest.fixture
def store(sqlite_store):
    """What this file is about is SQLite's."""
    return sqlite_store


@pytest.fixture
def contract_only(tmp_path):
    """Another infrastructure team's database: the contract's tables and nothing else."""
    path = tmp_path / "theirs.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(CONTRACT)
    db = QueueDatabase(path)
    yield db
    db.close()


FIRST = {
    "enqueue": lambda queue, _: queue.enqueue("t", 1),
    "claim": lambda queue, _: queue.claim_task("w", {}, 60),
    "weighted claim": lambda queue, _: queue.claim_by("weighted_random", "w", {}, 60),
    "enqueue_in": lambda queue, connection: queue.enqueue_in(connection, "t", 1),
}


@pytest.mark.parametrize("first", ["enqueue", "claim", "weighted claim"])
def test_the_reference_adds_what_it_needs_to_a_contract_only_database(contract_only, first):
    queue = Queue(contract_only)
    assert queue.queue_stats()["queued"] == 0
    assert queue.get_task(1) is None
    FIRST[first](queue, None)
    with contract_only.connection() as connection:
        assert schema.is_complete(connection)
        assert schema_problems(connection) == ([], [])


def test_what_was_added_in_a_transaction_that_failed_is_added_again(contract_only):
    queue = Queue(contract_only)
    with pytest.raises(KeyError), contract_only.transaction() as connection:  # noqa: PT012 - the block is the transaction
        FIRST["enqueue_in"](queue, connection)
        raise KeyError
    queue.enqueue("t", 1)
    assert queue.claim_task("w", {}, 60).id == 1


BEFORE = """
    DROP INDEX reference_in_other_states;
    CREATE INDEX reference_other
        ON task_queue (ifnull(status, '')) WHERE ifnull(status, '') NOT IN ('queued', 'leased', 'completed');
"""
STATES = ("queued", "leased", "completed", "failed", "cancelled", "odd", None)


@pytest.fixture
def earlier(db):
    """A database of the reference as it was when one index had another name; a task in each state, two have failed."""
    with closing(sqlite3.connect(db.path)) as connection:
        connection.executescript(BEFORE)
        rows = [(status,) for status in (*STATES, "failed")]
        connection.executemany("INSERT INTO task_queue (type, payload, status) VALUES ('t', '1', ?)", rows)
        connection.commit()
    return db


UPGRADES = {
    "enqueue": (lambda db: Queue(db).enqueue("t", 1), {"queued": 2}),
    "claim": (lambda db: Queue(db).claim_task("w", {}, 60), {"queued": 0, "leased": 2}),
    "cancel": (lambda db: Queue(db).cancel_task(1), {"queued": 0, "cancelled": 2}),
    "initialize_schema": (lambda db: db.initialize_schema(), {}),
}


@pytest.mark.parametrize(("first", "changed"), UPGRADES.values(), ids=UPGRADES.keys())
def test_an_earlier_index_is_replaced_by_the_first_write_and_the_statistics_stay_right(earlier, first, changed):
    counts = {"queued": 1, "leased": 1, "completed": 1, "failed": 2, "cancelled": 1, "odd": 1, "": 1}
    assert Queue(earlier).queue_stats() == counts
    first(earlier)
    with earlier.connection() as connection:
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
        assert schema.is_complete(connection)
        assert schema_problems(connection) == ([], [])
    assert "reference_in_other_states" in names
    assert "reference_other" not in names
    assert Queue(earlier).queue_stats() == counts | changed


PLANS = {
    "enqueue": lambda queue: queue.enqueue("t", 1, idempotency_key="k"),
    "claims": lambda queue: [
        queue.claim_by(strategy, "w", {}, 60) for strategy in ("fifo", "lifo", "priority", "weighted_random")
    ],
    "complete": lambda queue: queue.complete_task(queue.claim_task("w", {}, 60), "w"),
    "fail": lambda queue: queue.fail_task(queue.claim_task("w", {}, 60), "w", "e"),
    "renew": lambda queue: queue.renew_lease(queue.claim_task("w", {}, 60), "w", 60),
    "cancel": lambda queue: queue.cancel_task(1),
    "get": lambda queue: queue.get_task(1),
    "reclaim": lambda queue: queue.reclaim_expired(),
    "delete": lambda queue: queue.delete_finished(0),
}


@pytest.mark.parametrize("call", PLANS.values(), ids=PLANS.keys())
@pytest.mark.parametrize("analyzed_at", [None, 0, 10, 2000])
def test_no_hot_statement_scans_the_task_table_whatever_analyze_found(db, queue, call, analyzed_at):
    if analyzed_at is not None:
        queue.enqueue_many([{"type": "t", "payload": n} for n in range(analyzed_at)])
        with db.connection() as connection:
            connection.execute("ANALYZE")
        db.close()  # statistics are read when a connection opens
    queue.enqueue_many([{"type": "t", "payload": n} for n in range(20)])
    statements = []
    with db.connection() as connection:
        connection.set_trace_callback(statements.append)
    call(queue)
    with db.connection() as connection:
        connection.set_trace_callback(None)
        hot = [text for text in statements if text.lstrip()[:6].upper() in {"INSERT", "UPDATE", "DELETE", "SELECT"}]
        plans = [row[3] for text in hot for row in connection.execute(f"EXPLAIN QUERY PLAN {text}")]
    assert hot
    assert [plan for plan in plans if "SCAN task_queue" in plan or "TEMP B-TREE" in plan] == []


def test_a_claim_runs_few_statements_and_steps_whatever_the_backlog(db, queue):
    """Deterministic: SQLite's own count of the steps of its machine."""
    work = {}
    for backlog in (100, 5000):
        queue.enqueue_many([{"type": "t", "payload": n} for n in range(backlog)])
        queue.claim_by("weighted_random", "w", {}, 60)
        for strategy in ("fifo", "lifo", "priority", "weighted_random"):
            statements, steps = [], []
            with db.connection() as connection:
                connection.set_trace_callback(statements.append)
                connection.set_progress_handler(lambda counted=steps: counted.append(1), 10)
            assert queue.claim_by(strategy, "w", {}, 60) is not None
            with db.connection() as connection:
                connection.set_trace_callback(None)
                connection.set_progress_handler(None, 1)
            assert len(statements) <= 20
            work[strategy, backlog] = len(steps)
    for strategy in ("fifo", "lifo", "priority", "weighted_random"):
        assert work[strategy, 5000] <= work[strategy, 100] + 20


def everything(folder):
    return {path.name: (path.read_bytes() if path.suffix != ".db-shm" else b"") for path in folder.iterdir()}


def test_validating_a_closed_database_leaves_no_trace(db, queue):
    queue.enqueue("t", {"a": 1})
    db.close()
    before = everything(db.path.parent)
    report = quick_validate(db.path)
    assert report.ok, str(report)
    assert {check.requirement for check in report.checks} == {f"INF-0{number}" for number in range(1, 9)}
    assert all(check.judged for check in report.checks)
    assert everything(db.path.parent) == before


def test_validating_an_open_database_sees_its_wal_and_leaves_no_trace(db, queue):
    queue.enqueue("t", {"a": 1})
    before = everything(db.path.parent)
    assert "queue.db-wal" in before
    report = quick_validate(db.path)
    assert report.ok, str(report)
    assert "1 rows" in str(report)
    assert everything(db.path.parent) == before
    queue.enqueue("t", 2)


@pytest.mark.parametrize("left", [("-wal",), ("-wal", "-shm")])
def test_validating_what_a_crash_left_sees_its_wal_and_leaves_no_trace(db, queue, tmp_path, left):
    queue.enqueue("t", {"a": 1})
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for suffix in ("", *left):
        (crashed / f"queue.db{suffix}").write_bytes(db.path.with_name(f"queue.db{suffix}").read_bytes())
    before = everything(crashed)
    report = quick_validate(crashed / "queue.db")
    assert report.ok, str(report)
    assert "1 rows" in str(report)
    assert everything(crashed) == before


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda _: None, "does not exist"),
        (lambda path: path.mkdir(), "not a file"),
        (lambda path: path.write_bytes(b"no database at all " * 100), "not a database"),
    ],
)
def test_what_is_no_database_is_reported_and_not_created(tmp_path, make, text):
    path = tmp_path / "x.db"
    make(path)
    before = sorted(tmp_path.iterdir())
    report = quick_validate(path)
    assert not report.ok
    assert text in str(report)
    assert sorted(tmp_path.iterdir()) == before


def test_without_a_path_the_reference_validates_its_own():
    report = quick_validate()
    assert report.ok, str(report)
    assert not Path(report.place).exists()


DIFFERENT = {
    "table workers is missing": ("CREATE TABLE IF NOT EXISTS workers", "CREATE TABLE IF NOT EXISTS jobs"),
    "column task_queue.locked_by is missing": ("    locked_by TEXT,\n", ""),
    "task_queue.priority is declared TEXT": ("priority INTEGER DEFAULT 100", "priority TEXT DEFAULT 100"),
    "task_queue.priority has the default 50": ("DEFAULT 100", "DEFAULT 50"),
    "task_queue.payload accepts NULL": ("payload TEXT NOT NULL", "payload TEXT"),
    "task_queue.locked_by refuses NULL": ("locked_by TEXT", "locked_by TEXT NOT NULL"),
    "AUTOINCREMENT": ("AUTOINCREMENT, --", ", --"),
    "idempotency_key is not unique": ("CREATE UNIQUE INDEX", "CREATE INDEX"),
    "idempotency_key is not unique where": ("idempotency_key IS NOT NULL;", "status = 'queued';"),
    "task_logs.task_id does not refer": ("REFERENCES task_queue (id) ON DELETE CASCADE", ""),
}


@pytest.mark.parametrize(("problem", "change"), DIFFERENT.items(), ids=DIFFERENT.keys())
def test_a_schema_that_differs_is_named(problem, change):
    assert change[0] in CONTRACT
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(CONTRACT.replace(*change))
        problems, _ = schema_problems(connection)
    assert [text for text in problems if problem in text]


def test_other_spellings_of_the_same_schema_are_no_problem_and_extras_are_noted():
    script = CONTRACT.replace("DEFAULT (datetime('now'))", "DEFAULT CURRENT_TIMESTAMP").replace(
        "idempotency_key TEXT,", "idempotency_key VARCHAR(200) UNIQUE, colour TEXT,"
    )
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(script)
        connection.execute("DROP INDEX task_queue_idempotency_key")
        connection.execute("CREATE INDEX mine ON task_queue (type)")
        assert schema_problems(connection) == ([], ["extra column task_queue.colour", "extra index mine"])


def test_rows_with_bad_json_are_noted(db, queue, sql):
    queue.enqueue("t", 1)
    sql("UPDATE task_queue SET payload = '{'")
    report = quick_validate(db.path)
    assert report.ok
    assert "payload of task 1 is not JSON" in str(report)


@pytest.mark.parametrize("model", [Worker(worker_id="w"), TaskLog(log_id=1, message="m", details="{}")])
def test_models_round_trip_and_leave_out_what_they_do_not_know(model):
    assert type(model).from_dict(model.to_dict() | {"colour": "red"}) == model
    with pytest.raises(ValueError, match="needs"):
        type(model).from_dict({"colour": "red"})
