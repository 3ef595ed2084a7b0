"""Fixtures: for tests of the teams' own, and for the tests of the suite. Nothing is imported before one is used."""

from __future__ import annotations

import itertools
import shutil
import threading
import time
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_taskq.clock import VirtualClock
    from pytest_taskq.contract import TaskId
    from pytest_taskq.grading.record import Record
    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.reference_impl import QueueDatabase, TaskClaimer
    from pytest_taskq.subject import Bench, Stores

T = TypeVar("T")


class QueueTasks(Protocol):
    """What ``queue_tasks`` is."""

    def __call__(self, count: int = 1, *, type: str = "job", payload: Any = None, **options: Any) -> list[TaskId]:  # noqa: A002, ANN401 - as enqueue
        """Store ``count`` tasks in one transaction and return their ids in order."""
        ...


class RunWorkers(Protocol):
    """What ``run_workers`` is."""

    def __call__(self, *workers: Callable[[int], T], copies: int = 1, timeout: float = 30.0) -> list[T]:
        """Run every worker ``copies`` times, all at once, and return what they return, in order."""
        ...


# --- for tests of the teams' own --------------------------------------------------------------------------------------


class QueueFiles:
    """Makes queue databases: each a copy of one that was initialised once, since copying costs a hundredth of it."""

    def __init__(self, folder: Path) -> None:
        from pytest_taskq.reference_impl import QueueDatabase

        self._folder = folder
        self._open = QueueDatabase
        self._numbers = itertools.count(1)
        template = QueueDatabase(folder / "template.db")
        template.initialize_schema()
        template.close()  # the last connection to close moves the write-ahead log into the file
        self._content = template.path.read_bytes()

    def fresh(self) -> QueueDatabase:
        """Return a new database; it is opened on first use."""
        path = self._folder / f"{next(self._numbers)}.db"
        path.write_bytes(self._content)
        return self._open(path)

    def discard(self, database: QueueDatabase) -> None:
        """Close a database and remove its files."""
        database.close()
        for end in ("", "-wal", "-shm"):
            database.path.with_name(database.path.name + end).unlink(missing_ok=True)


@pytest.fixture(scope="session")
def _queue_files(tmp_path_factory: pytest.TempPathFactory) -> QueueFiles:
    return QueueFiles(tmp_path_factory.mktemp("queue_db"))


@pytest.fixture
def queue_db(_queue_files: QueueFiles) -> Iterator[QueueDatabase]:
    """A fresh, initialised queue database, a file of its own; closed and removed after the test."""
    database = _queue_files.fresh()
    yield database
    _queue_files.discard(database)


@pytest.fixture
def worker_claimer(request: pytest.FixtureRequest, queue_db: QueueDatabase) -> TaskClaimer:
    """A claimer on ``queue_db``: FIFO, or as ``parametrize("worker_claimer", [...], indirect=True)`` says."""
    from pytest_taskq.reference_impl import SchedulingStrategy, TaskClaimerFactory

    return TaskClaimerFactory.create(getattr(request, "param", SchedulingStrategy.FIFO), queue_db)


@pytest.fixture
def queue_tasks(queue_db: QueueDatabase) -> QueueTasks:
    """Stores tasks in ``queue_db``: ``queue_tasks(3, type="mail", priority=5)`` returns their ids.

    Keywords are those of ``enqueue``; without a payload the tasks are told apart by ``{"n": 0}``, ``{"n": 1}``, …
    """
    from pytest_taskq.reference_impl import Queue

    queue = Queue(queue_db)

    def store(count: int = 1, *, type: str = "job", payload: Any = None, **options: Any) -> list[TaskId]:  # noqa: A002, ANN401 - as enqueue
        payloads = ({"n": number} if payload is None else payload for number in range(count))
        return queue.enqueue_many([{"type": type, "payload": one, **options} for one in payloads])

    return store


@pytest.fixture
def queue_clock() -> Iterator[VirtualClock]:
    """A clock that stands still until ``queue_clock.advance(seconds)``; Python and SQLite read it during the test."""
    from pytest_taskq.clock import VirtualClock

    with VirtualClock() as clock:
        yield clock


@pytest.fixture
def run_workers() -> RunWorkers:
    """Runs workers in threads that start together: ``run_workers(claim, copies=4)`` or ``run_workers(claim, clean)``.

    Each is called with its number, from 0. Results come in that order; the first exception is raised again and names
    the worker. A worker that is still running after ``timeout`` seconds is interrupted, and TimeoutError raised.
    """
    return _run_together


def _run_together(*workers: Callable[[int], T], copies: int = 1, timeout: float = 30.0) -> list[T]:
    team = [worker for worker in workers for _ in range(copies)]
    start = threading.Barrier(len(team))
    results: dict[int, T] = {}
    errors: list[BaseException] = []

    def body(number: int, worker: Callable[[int], T]) -> None:
        try:
            start.wait(timeout)
            results[number] = worker(number)
        except BaseException as error:  # noqa: BLE001 - raised again in the test's own thread
            error.add_note(f"in worker {number} of {len(team)} that run_workers started")
            errors.append(error)

    threads = [threading.Thread(target=body, args=one, name=f"worker-{one[0]}", daemon=True) for one in enumerate(team)]
    for thread in threads:
        thread.start()
    late = _join_all(threads, timeout)
    if late:
        raise TimeoutError(f"{', '.join(late)} of {len(team)} did not end within {timeout:g} s and was interrupted")
    if errors:
        raise errors[0]
    return [results[number] for number in range(len(team))]


def _join_all(threads: list[threading.Thread], timeout: float) -> list[str]:
    deadline = time.monotonic() + timeout
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    late = [thread for thread in threads if thread.is_alive()]
    if late:
        from pytest_taskq.subject.watch import _interrupt as interrupt  # ends a loop of Python code

        for thread in late:
            interrupt(thread)
        for thread in late:
            thread.join(1.0)  # one that waits in C ends with the process: it is a daemon
    return [thread.name for thread in late]


# --- for the tests of the suite ---------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def _taskq_stores(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    from pytest_taskq.grading.run import RUN

    stores = request.config.stash[RUN].stores(tmp_path_factory.mktemp("taskq"))
    yield stores
    stores.close()
    shutil.rmtree(stores.folder, ignore_errors=True)


@pytest.fixture
def taskq_record(request: pytest.FixtureRequest) -> Record:
    """Where a check of the suite says what it explored and found; for the suite alone."""
    from pytest_taskq.grading.check import of_item

    return of_item(request.node, "taskq_record").record


@pytest.fixture
def taskq_budget(request: pytest.FixtureRequest) -> Budget:
    """The effort and the seed of the run; for the suite alone."""
    from pytest_taskq.grading.check import of_item

    return of_item(request.node, "taskq_budget").budget


@pytest.fixture
def taskq_bench(request: pytest.FixtureRequest) -> Bench:
    """The workbench of a check: fresh queues, virtual time, bounded calls; for the suite alone."""
    from pytest_taskq.grading.check import of_item

    check = of_item(request.node, "taskq_bench")
    return check.make_bench(request.getfixturevalue("_taskq_stores"))


@pytest.fixture
def taskq_queue(taskq_bench: Bench) -> None:
    """The code under test on a fresh store; for the suite alone. Made where the test runs, in its watched thread."""
    del taskq_bench
