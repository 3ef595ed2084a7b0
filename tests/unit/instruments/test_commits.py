"""The transactions of a call are read from the log: each once, with the database as it stood after it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_taskq import QueueAdapter
from pytest_taskq.conformance.commits import commit_ends, commits_kept, largest_step
from pytest_taskq.subject import Bench, NotJudgedError, Stores, Subject
from pytest_taskq.subject.backlog import fill

LEFT = "SELECT count(*) FROM task_queue"


def kept_while(tmp_path: Path, work, rows: int = 1_000):
    """Return how many rows are left after each transaction that ``work`` commits, from before the first."""
    subject = Subject("tests:Adapter", QueueAdapter)
    bench = Bench(subject, Stores(subject, tmp_path))

    def body():
        with bench.queue() as queue:
            fill(queue, "completed", rows)
            with commits_kept(queue) as commits:
                work(str(queue.path))
            return [commits.count(number, LEFT) for number in range(len(commits.ends) + 1)]

    return bench.run(body)


def deleting(path: str, *batches: int, cache: int = -2000) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA cache_size = {cache}")
        for batch in batches:
            connection.execute("DELETE FROM task_queue WHERE id IN (SELECT id FROM task_queue LIMIT ?)", (batch,))


def test_each_transaction_is_seen_with_what_it_left(tmp_path: Path) -> None:
    assert kept_while(tmp_path, lambda path: deleting(path, 400, 1, 500)) == [1000, 600, 599, 99]


def test_many_statements_of_one_transaction_are_one_step(tmp_path: Path) -> None:
    def work(path: str) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            for _ in range(3):
                connection.execute("SAVEPOINT one")
                connection.execute("DELETE FROM task_queue WHERE id IN (SELECT id FROM task_queue LIMIT 200)")
                connection.execute("RELEASE one")
            connection.execute("COMMIT")

    assert kept_while(tmp_path, work) == [1000, 400]


def test_what_was_rolled_back_after_it_reached_the_log_is_no_step(tmp_path: Path) -> None:
    def work(path: str) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA cache_size = 10")  # pages, so that changes spill into the log before the commit
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("DELETE FROM task_queue")
            connection.execute("ROLLBACK")
        deleting(path, 10)

    assert kept_while(tmp_path, work) == [1000, 990]


def test_a_transaction_that_spilled_is_one_step(tmp_path: Path) -> None:
    assert kept_while(tmp_path, lambda path: deleting(path, 900, cache=10)) == [1000, 100]


def test_a_checkpoint_meanwhile_takes_no_transaction_out_of_the_log(tmp_path: Path) -> None:
    def work(path: str) -> None:
        for _ in range(3):
            deleting(path, 100)
            with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as connection:
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    assert kept_while(tmp_path, work) == [1000, 900, 800, 700]


def test_vacuum_and_other_writes_take_nothing(tmp_path: Path) -> None:
    def work(path: str) -> None:
        deleting(path, 100)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("VACUUM")
            connection.execute("CREATE INDEX own ON task_queue (type)")

    assert kept_while(tmp_path, work) == [1000, 900, 900, 900]


def test_a_call_that_commits_nothing_has_no_step(tmp_path: Path) -> None:
    assert kept_while(tmp_path, lambda _: None) == [1000]


def test_without_a_log_there_is_no_verdict(tmp_path: Path) -> None:
    subject = Subject("tests:Adapter", QueueAdapter)
    bench = Bench(subject, Stores(subject, tmp_path))

    def body():
        with bench.queue() as queue:
            queue.sql("PRAGMA journal_mode = DELETE")
            with commits_kept(queue):
                pass

    with pytest.raises(NotJudgedError, match="the journal mode is delete"):
        bench.run(body)


def test_no_log_has_no_transactions() -> None:
    assert commit_ends(b"") == []


@given(st.lists(st.integers(0, 12), max_size=40), st.integers(0, 12))
def test_a_step_is_found_exactly_where_one_is_larger(steps: list[int], limit: int) -> None:
    left = [sum(steps[number:]) for number in range(len(steps) + 1)]
    found = largest_step(left.__getitem__, len(steps), limit)
    if max(steps, default=0) <= limit:
        assert found is None
    else:
        assert found is not None
        number, taken = found
        assert steps[number - 1] == taken > limit


def test_few_looks_are_enough() -> None:
    looks: list[int] = []
    assert largest_step(lambda number: looks.append(number) or 2500 - number, 2500, 1000) is None
    assert len(looks) < 12
