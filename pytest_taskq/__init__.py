"""pytest-taskq: grades a team's own task-queue code against a shared contract.

The names below are loaded on first use, so that a pytest run which does not grade anything pays for none of them.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_taskq.adapter import NotOfferedError as NotOfferedError
    from pytest_taskq.adapter import QueueAdapter as QueueAdapter
    from pytest_taskq.adapter import StandaloneAdapter as StandaloneAdapter
    from pytest_taskq.clock import VirtualClock as VirtualClock
    from pytest_taskq.contract import Backoff as Backoff
    from pytest_taskq.contract import Connection as Connection
    from pytest_taskq.contract import Database as Database
    from pytest_taskq.contract import Promises as Promises
    from pytest_taskq.contract import SchedulingStrategy as SchedulingStrategy
    from pytest_taskq.contract import Status as Status
    from pytest_taskq.contract import Task as Task
    from pytest_taskq.contract import TaskId as TaskId
    from pytest_taskq.contract.task import COLUMNS as COLUMNS
    from pytest_taskq.fixtures import QueueTasks as QueueTasks
    from pytest_taskq.fixtures import RunWorkers as RunWorkers

__version__ = "0.1.0"

# The wheel nests both folders in this package; in a checkout they stand beside it. One import name serves both.
if not (Path(__file__).parent / "conformance").is_dir():
    __path__.append(str(Path(__file__).parent.parent))

_HOME = {
    "NotOfferedError": "adapter",
    "QueueAdapter": "adapter",
    "StandaloneAdapter": "adapter",
    "VirtualClock": "clock",
    "Backoff": "contract",
    "Connection": "contract",
    "Database": "contract",
    "Promises": "contract",
    "SchedulingStrategy": "contract",
    "Status": "contract",
    "Task": "contract",
    "TaskId": "contract",
    "COLUMNS": "contract.task",
    "QueueTasks": "fixtures",
    "RunWorkers": "fixtures",
}

__all__ = [  # noqa: PLE0604 - the names are spelled out in _HOME, once
    "__version__",
    *_HOME,
]


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(f"pytest_taskq.{_HOME[name]}"), name)
    raise AttributeError(f"module 'pytest_taskq' has no attribute {name!r}; it has {', '.join(sorted(_HOME))}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
