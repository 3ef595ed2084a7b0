"""The server goes away and comes back under a queue that is in use."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

import pytest
from throw_away_server import ThrowAwayServer, server_programs

from pytest_taskq.reference_impl import QueueDatabaseError, QueueOutcomeUnknownError, open_database, queue_on

pytest.importorskip("psycopg")


@pytest.fixture(scope="module")
def server():
    programs = server_programs()
    if programs is None:
        pytest.skip("there is no initdb that this user could run a server with")
    with tempfile.TemporaryDirectory(prefix="taskq-server-") as folder:  # pytest's own let no other user in
        server = ThrowAwayServer(programs, Path(folder))
        server.start()
        yield server
        server.stop("immediate")


@pytest.fixture
def db(server):
    db = open_database(server.dsn, busy_timeout=30)
    db.initialize_schema()
    yield db
    with db.transaction() as connection:
        connection.execute("DELETE FROM task_queue")
    db.close()


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_what_was_acknowledged_is_there_after_a_restart_and_the_queue_goes_on(server, db, mode):
    queue = queue_on(db)
    queue.enqueue_many([{"type": "t", "payload": n} for n in range(3)])
    done, held = queue.claim_task("w", {}, 600), queue.claim_task("w", {}, 600)
    assert queue.complete_task(done, "w")
    server.stop(mode)
    server.start()
    assert queue.queue_stats() | {"completed": 1, "leased": 1, "queued": 1} == queue.queue_stats()
    assert queue.complete_task(held, "w")
    assert queue.claim_task("w", {}, 60) is not None


def test_a_call_made_while_the_server_is_away_waits_for_it(server, db):
    queue = queue_on(db)
    queue.enqueue("t", 1)
    server.stop("fast")
    called = threading.Event()
    stats = []

    def look():
        called.set()
        stats.append(queue.queue_stats()["queued"])

    thread = threading.Thread(target=look)
    thread.start()
    called.wait(10)
    server.start()
    thread.join(60)
    assert stats == [1]


class Workers:
    """Threads that claim and complete until they are told to stop, whatever errors of the queue they meet."""

    def __init__(self, queue):
        self.queue = queue
        self.completed, self.unknown, self.errors = [], [], []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(f"w{number}",)) for number in range(3)]
        for thread in self._threads:
            thread.start()

    def stop(self):
        self._over.set()
        for thread in self._threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in self._threads)

    def _work(self, name):
        while not self._over.is_set():
            try:
                if (task := self.queue.claim_task(name, {}, 600)) is not None:
                    self._complete(task, name)
            except QueueDatabaseError as error:
                self.errors.append(error)

    def _complete(self, task, name):
        try:
            if self.queue.complete_task(task, name):
                self.completed.append(task.id)
        except QueueOutcomeUnknownError:
            self.unknown.append(task.id)


def test_workers_lose_nothing_and_do_nothing_twice_while_the_server_is_killed_again_and_again(server, db):
    queue = queue_on(db)
    ids = queue.enqueue_many([{"type": "t", "payload": n} for n in range(5000)])
    workers = Workers(queue)
    for mode in ("immediate", "fast", "immediate"):
        server.stop(mode)
        server.start()
    workers.stop()
    assert workers.errors or workers.unknown
    with db.connection() as connection:
        stored = {row[0] for row in connection.execute("SELECT id FROM task_queue WHERE status = 'completed'")}
    assert sum(queue.queue_stats().values()) == len(ids)
    assert len(workers.completed) == len(set(workers.completed))
    assert set(workers.completed) <= stored <= {*workers.completed, *workers.unknown}
