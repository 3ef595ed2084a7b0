"""What `quick_validate` says of a file, and that it leaves it as it was."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from pytest_taskq.reference_impl import Queue, QueueDatabase, quick_validate
from pytest_taskq.reference_impl.validation import AREAS, reading, validate, validate_and_time
from pytest_taskq.reference_impl.validation.deadline import Deadline

WRITER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute(sys.argv[2])
print("ready", flush=True)
sys.stdin.read()
"""


def wrong(report):
    return [one.requirement for one in report.checks if not one.ok]


def change(path, *statements):
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def test_all_eight_areas_of_a_sound_queue_are_judged_and_nothing_is_left(path, untouched):
    before = untouched(path.parent)
    report = quick_validate(path)
    assert report, str(report)
    assert {one.area for one in report.checks if one.judged} == set(AREAS.values())
    assert untouched(path.parent) == before


def test_a_dsn_means_its_file(path):
    assert quick_validate(f"sqlite:///{path}").place == str(path)


# --- what is not there, or cannot be read -----------------------------------------------------------------------------


def _no_such_path(folder):
    return folder / "none.db"


def _directory(folder):
    return folder


def _log_without_database(folder):
    (folder / "gone.db-wal").write_bytes(b"x" * 100)
    return folder / "gone.db"


def _device(_folder):
    return Path(os.devnull)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_no_such_path, "does not exist"),
        (_directory, "is a directory"),
        (_log_without_database, "a log without its database"),
        (_device, "is not a file"),
    ],
)
def test_what_cannot_be_looked_at_is_no_verdict_and_nothing_is_made(tmp_path, untouched, make, said):
    place = make(tmp_path)
    before = untouched(tmp_path)
    report = quick_validate(place)
    assert (report.exit_code, report.checks) == (2, ())
    assert said in report.obstacle
    assert untouched(tmp_path) == before


def test_a_file_that_this_user_may_not_read_is_no_verdict(path, monkeypatch):
    monkeypatch.setattr(reading.os, "access", lambda _place, _mode: False)
    report = quick_validate(path)
    assert report.exit_code == 2
    assert "may not be read" in report.obstacle


# --- what is wrong ----------------------------------------------------------------------------------------------------


def test_an_empty_file_is_a_database_without_the_tables(tmp_path, untouched):
    file = tmp_path / "empty.db"
    file.touch()
    report = quick_validate(file)
    assert report.exit_code == 1
    assert "table task_queue is missing" in str(report)
    assert untouched(tmp_path) == {"empty.db": b""}


def test_a_truncated_file_is_wrong(path, untouched):
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    before = untouched(path.parent)
    report = quick_validate(path)
    assert report.exit_code == 1
    assert "INF-02" in wrong(report)
    assert untouched(path.parent) == before


def test_a_page_full_of_noise_is_wrong(path):
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * 4096)
    assert "INF-02" in wrong(quick_validate(path))


def test_the_tables_of_another_program_are_wrong(tmp_path):
    file = tmp_path / "other.db"
    change(file, "CREATE TABLE invoices (number INTEGER)")
    report = quick_validate(file)
    assert {"INF-03", "INF-04"} <= set(wrong(report))
    assert [one.requirement for one in report.checks if not one.judged] == ["INF-05", "INF-06", "INF-07", "INF-08"]


def test_an_older_schema_is_valid_where_only_what_the_reference_adds_is_missing(tmp_path):
    file = tmp_path / "old.db"
    from pytest_taskq.reference_impl import schema

    change(file, "PRAGMA journal_mode = WAL", *schema.CONTRACT_STATEMENTS)
    report = quick_validate(file)
    assert report, str(report)
    assert "come with its first write" in str(report)


def test_a_log_of_a_task_that_is_gone_is_wrong(path):
    change(path, "PRAGMA foreign_keys = OFF", "INSERT INTO task_logs (task_id, message) VALUES (999, 'm')")
    report = quick_validate(path)
    assert wrong(report) == ["INF-02"]
    assert "refers to a task that is gone" in str(report)


def test_a_trigger_that_undoes_what_the_queue_writes_is_found_on_the_copy(path):
    change(
        path,
        "CREATE TRIGGER no_worker BEFORE INSERT ON workers BEGIN SELECT RAISE(IGNORE); END",
    )
    report = quick_validate(path)
    assert wrong(report) == ["INF-06"]
    assert "what was committed is not there" in str(report)


def test_an_index_that_went_missing_makes_the_reference_say_so(path):
    change(path, "DROP INDEX reference_leased", "CREATE INDEX reference_leased ON task_queue (type)")
    assert "INF-07" in wrong(quick_validate(path))


def test_a_network_file_system_is_wrong(path, monkeypatch):
    from pytest_taskq.reference_impl.validation import file_checks

    monkeypatch.setattr(file_checks, "_file_system", lambda _path: "nfs4")
    report = quick_validate(path)
    assert wrong(report) == ["INF-01"]
    assert "use a local disk" in str(report)


# --- beside others ----------------------------------------------------------------------------------------------------


def _other_process(path, statement):
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), statement], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    return process


def test_beside_a_writer_in_the_middle_of_a_transaction_nothing_is_waited_for_or_written(path, untouched):
    with _other_process(path, "BEGIN IMMEDIATE") as writer:
        before = untouched(path.parent)
        assert "queue.db-wal" in before
        report = quick_validate(path)
        assert report, str(report)
        assert untouched(path.parent) == before
        writer.stdin.close()


def test_what_stands_in_the_log_of_others_is_seen_and_nothing_is_added_to_it(path):
    with closing(QueueDatabase(path)) as db:
        Queue(db).enqueue("late", {})
        log = path.with_name("queue.db-wal")
        before = (path.read_bytes(), log.read_bytes())
        report = quick_validate(path)
        assert "4 rows" in str(report)
        assert (path.read_bytes(), log.read_bytes()) == before


def test_a_file_that_is_shut_to_readers_is_no_verdict(tmp_path):
    file = tmp_path / "queue.db"
    with closing(QueueDatabase(file)) as db:
        db.initialize_schema()
        with db.connection() as connection:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("CREATE TABLE mine (x)")
            report = quick_validate(file)
    assert report.exit_code == 2
    assert "lets nobody read" in report.obstacle


# --- within its time --------------------------------------------------------------------------------------------------


class OverAtOnce(Deadline):
    over = True

    def __init__(self, seconds):
        self.seconds = seconds


def test_what_is_not_through_in_time_is_not_checked_and_not_wrong(path, monkeypatch):
    from pytest_taskq.reference_impl.validation import file_checks

    with closing(QueueDatabase(path)) as db:
        Queue(db).enqueue_many([{"type": "t", "payload": {}}] * 500)
    monkeypatch.setattr(file_checks, "Deadline", OverAtOnce)
    report = validate(path, seconds=0.5)
    assert report, str(report)
    assert "not through within 0.5 s" in str(report)
    assert "were not read within 0.5 s" in str(report)


def test_a_database_too_large_to_copy_is_tried_by_its_schema(path, monkeypatch):
    from pytest_taskq.reference_impl.validation import scratch

    monkeypatch.setattr(scratch, "_LARGEST", 10)
    report = quick_validate(path)
    assert report, str(report)
    assert "scratch copy of the schema alone" in str(report)


def test_operations_are_timed_on_a_copy(path, untouched, monkeypatch):
    from pytest_taskq.reference_impl.validation import timing

    monkeypatch.setattr(timing, "CALLS", 5)
    before = untouched(path.parent)
    report, timed = validate_and_time(path)
    assert report
    assert [one.name for one in timed] == [
        *("enqueue", "claim_by FIFO", "claim_by LIFO", "claim_by PRIORITY", "claim_by WEIGHTED_RANDOM"),
        *("renew_lease", "complete_task", "queue_stats"),
    ]
    assert all(0 < one.p50 <= one.p95 <= one.p99 for one in timed)
    assert untouched(path.parent) == before
