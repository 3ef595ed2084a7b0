from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from millworker import Engine, Worker

from pytest_taskq.reference_impl import Queue, QueueBusyError

if TYPE_CHECKING:
    from pytest_taskq.clock import VirtualClock
    from pytest_taskq.fixtures import QueueTasks
    from pytest_taskq.reference_impl import QueueDatabase, Task


class NotingEngine(Engine):
    """Tells when a lease was renewed."""

    def __init__(self, db: QueueDatabase) -> None:
        super().__init__(db)
        self.renewed = threading.Event()

    def renew(self, task: Task, worker_id: str, lease_seconds: float) -> bool:
        held = super().renew(task, worker_id, lease_seconds)
        self.renewed.set()
        return held


@pytest.fixture
def engine(queue_db: QueueDatabase) -> NotingEngine:
    engine = NotingEngine(queue_db)
    engine.install()
    return engine


def test_a_handler_gets_the_payload_and_the_task_is_completed(
    engine: Engine, queue_db: QueueDatabase, queue_tasks: QueueTasks
) -> None:
    queue_tasks(type="mill", payload={"sacks": 3})
    seen: list[object] = []
    worker = Worker(engine, "w1", {"mill": seen.append})
    assert worker.run_one()
    assert not worker.run_one()
    assert seen == [{"sacks": 3}]
    assert Queue(queue_db).queue_stats()["completed"] == 1


@pytest.mark.parametrize("type_", ["grind", "unknown"])
def test_what_a_handler_raises_and_a_type_without_one_are_the_task_s_failure(
    engine: Engine, queue_db: QueueDatabase, queue_tasks: QueueTasks, type_: str
) -> None:
    (task_id,) = queue_tasks(type=type_, payload=0)
    assert Worker(engine, "w1", {"grind": lambda sacks: 1 / sacks}).run_one()
    task = Queue(queue_db).get_task(task_id)
    assert task is not None
    assert task.status == "queued"
    assert (task.error_message or "").startswith({"grind": "ZeroDivisionError", "unknown": "KeyError"}[type_])


def test_the_lease_of_a_long_task_is_renewed_meanwhile(engine: NotingEngine, queue_tasks: QueueTasks) -> None:
    queue_tasks(type="mill")
    beaten: list[bool] = []
    worker = Worker(engine, "w1", {"mill": lambda _: beaten.append(engine.renewed.wait(10))}, lease_seconds=0.03)
    assert worker.run_one()
    assert beaten == [True]


def test_the_result_of_a_lost_task_is_refused_and_said_to_be(
    engine: Engine,
    queue_db: QueueDatabase,
    queue_tasks: QueueTasks,
    queue_clock: VirtualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    queue_tasks(type="mill")

    def sleep_through_the_lease(_: object) -> None:
        queue_clock.advance(61)
        assert Queue(queue_db).reclaim_expired() == 1

    assert Worker(engine, "w1", {"mill": sleep_through_the_lease}).run_one()
    assert Queue(queue_db).queue_stats()["queued"] == 1
    assert "the lease was lost" in caplog.text


def test_a_worker_ends_when_it_is_told_to(engine: Engine, queue_tasks: QueueTasks) -> None:
    queue_tasks(3, type="mill")
    stop = threading.Event()
    seen: list[object] = []

    def mill(payload: object) -> None:
        seen.append(payload)
        if len(seen) == 2:
            stop.set()

    Worker(engine, "w1", {"mill": mill}).run(stop)
    assert seen == [{"n": 0}, {"n": 1}]


def test_a_busy_queue_does_not_end_a_worker(
    engine: Engine, queue_tasks: QueueTasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue_tasks(type="mill")
    stop = threading.Event()
    worker = Worker(engine, "w1", {"mill": lambda _: stop.set()})
    claim, busy = engine.claim, iter([True])

    def busy_once(*arguments: Any) -> Task | None:  # noqa: ANN401 - as claim
        if next(busy, False):
            raise QueueBusyError("locked by others")
        return claim(*arguments)

    monkeypatch.setattr(engine, "claim", busy_once)
    worker.run(stop, idle_seconds=0)
    assert stop.is_set()
