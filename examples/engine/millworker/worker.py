"""The loop of a worker: claim, work, say what became of it, and meanwhile renew the lease."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_taskq.reference_impl import QueueBusyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from millworker.engine import Engine
    from pytest_taskq.reference_impl import Task

LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Worker:
    """Runs tasks one after the other; ``handlers`` maps a task's type to a function of its payload."""

    engine: Engine
    worker_id: str
    handlers: Mapping[str, Callable[[Any], object]]
    capabilities: Mapping[str, Any] = field(default_factory=dict)
    lease_seconds: float = 60.0

    def run(self, stop: threading.Event, *, idle_seconds: float = 1.0) -> None:
        """Work until ``stop`` is set, looking again after ``idle_seconds`` when there was nothing to do."""
        while not stop.is_set():
            try:
                worked = self.run_one()
            except QueueBusyError:
                LOG.warning("the queue stayed locked; what could not be reported comes back when its lease is over")
                worked = False
            if not worked:
                stop.wait(idle_seconds)

    def run_one(self) -> bool:
        """Claim one task and see it through; False if there was none."""
        task = self.engine.claim(self.worker_id, self.capabilities, self.lease_seconds)
        if task is None:
            return False
        try:
            with self._heartbeat(task):
                self.handlers[task.type](task.get_payload_dict())
        except Exception as error:  # noqa: BLE001 - whatever the work raises is its failure
            held = self.engine.fail(task, self.worker_id, f"{type(error).__name__}: {error}")
        else:
            held = self.engine.complete(task, self.worker_id)
        if not held:
            LOG.warning("task %s, attempt %s: the lease was lost, and so is this result", task.id, task.attempts)
        return True

    @contextmanager
    def _heartbeat(self, task: Task) -> Iterator[None]:
        """Renew the lease three times within its length, until the block ends or the lease is lost."""
        done = threading.Event()

        def beat() -> None:
            held = True
            while held and not done.wait(self.lease_seconds / 3):
                with suppress(QueueBusyError):  # the next beat comes before the lease is over
                    held = self.engine.renew(task, self.worker_id, self.lease_seconds)

        thread = threading.Thread(target=beat, name=f"heartbeat of {task.id}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
