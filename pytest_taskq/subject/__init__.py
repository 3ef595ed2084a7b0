"""The code under test: which adapter, what of it is graded, and how its calls are made, bounded and recorded."""

from __future__ import annotations

from pytest_taskq.subject.bench import Bench
from pytest_taskq.subject.loading import AdapterError, load_adapter
from pytest_taskq.subject.queue import Outcome, QueueUnderTest
from pytest_taskq.subject.stores import Stores
from pytest_taskq.subject.subject import Subject
from pytest_taskq.subject.violation import CallHungError, ContractViolation, NotJudgedError, UnsupportedError

__all__ = [
    "AdapterError",
    "Bench",
    "CallHungError",
    "ContractViolation",
    "NotJudgedError",
    "Outcome",
    "QueueUnderTest",
    "Stores",
    "Subject",
    "UnsupportedError",
    "load_adapter",
]
