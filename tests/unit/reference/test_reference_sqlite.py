"""What is so of a file and of no server."""

from __future__ import annotations

import sqlite3

import pytest

from pytest_taskq.reference_impl import Queue, QueueBusyError, QueueDatabase, QueueDatabaseError, QueueSchemaError


@pytest.fixture
def store(sqlite_store):
    return sqlite_store


@pytest.mark.parametrize("path", ["", ":memory:", "a\0b"])
def test_a_path_that_names_no_file_is_refused(path):
    with pytest.raises(ValueError, match="path"):
        QueueDatabase(path)


def test_a_dsn_names_a_relative_or_an_absolute_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert QueueDatabase.from_dsn("sqlite:///a/q.db").path == tmp_path / "a" / "q.db"
    assert QueueDatabase.from_dsn(f"sqlite:///{tmp_path}/q.db").path == tmp_path / "q.db"


@pytest.mark.parametrize("synchronous", ["NORMAL", "full", "EXTRA"])
def test_connections_run_with_the_settings(tmp_path, synchronous):
    db = QueueDatabase(tmp_path / "q.db", synchronous=synchronous, busy_timeout=1.5)
    with db.connection() as connection:
        seen = [
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "busy_timeout", "foreign_keys", "synchronous")
        ]
    db.close()
    assert seen == ["wal", 1500, 1, {"NORMAL": 1, "FULL": 2, "EXTRA": 3}[synchronous.upper()]]


def test_nothing_is_opened_before_the_first_use(tmp_path):
    Queue(QueueDatabase(tmp_path / "q.db"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda folder: folder, QueueDatabaseError, "is a directory"),
        (lambda folder: folder / "none" / "q.db", QueueDatabaseError, "does not exist"),
        (lambda folder: _written(folder / "q.db", b"no database " * 100), QueueSchemaError, "not an SQLite database"),
    ],
)
def test_a_place_that_is_no_database_is_named_and_the_cause_chained(tmp_path, make, error, text):
    db = QueueDatabase(make(tmp_path))
    with pytest.raises(error, match=text) as caught:
        db.initialize_schema()
    assert isinstance(caught.value.__cause__, sqlite3.Error)


def _written(path, content):
    path.write_bytes(content)
    return path


def test_a_transaction_takes_its_lock_at_the_start(db, store):
    with db.transaction(), pytest.raises(QueueBusyError), store.open(busy_timeout=0).transaction():
        pass


def test_initialising_twice_changes_nothing(db):
    before = db.path.read_bytes()
    db.initialize_schema()
    assert db.path.read_bytes() == before


def test_closing_leaves_nothing_beside_the_file(db, queue):
    queue.enqueue("t", 1)
    db.close()
    assert not db.path.with_name("queue.db-wal").exists()
