"""A pause keeps writers apart, but only who met another needs one."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from pytest_taskq import QueueAdapter
from pytest_taskq.reference_impl import QueueBusyError

if TYPE_CHECKING:
    from pytest_taskq import Task


class Broken(QueueAdapter):
    def complete_task(self, task: Task, worker_id: str) -> bool:
        time.sleep(random.uniform(0.01, 0.05))  # so that the workers do not meet
        return super().complete_task(task, worker_id)


class Corrected(QueueAdapter):
    def complete_task(self, task: Task, worker_id: str) -> bool:
        for _ in range(3):
            try:
                return super().complete_task(task, worker_id)
            except QueueBusyError:
                time.sleep(random.uniform(0.01, 0.05))
        return super().complete_task(task, worker_id)
