"""The reference queue: the contract on SQLite and PostgreSQL, to be read in one sitting. Begin with ``queue.py``."""

from __future__ import annotations

from pytest_taskq.contract import SchedulingStrategy, Task

from .adapter import Adapter
from .claimer import TaskClaimer, TaskClaimerFactory
from .database import QueueDatabase
from .errors import QueueBusyError, QueueDatabaseError, QueueOutcomeUnknownError, QueueSchemaError
from .integration import validate_worker_integration
from .models import TaskLog, Worker
from .opening import open_database, queue_on, schema_problems
from .queue import Queue
from .validation import Check, ValidationReport, quick_validate

__all__ = [
    "Adapter",
    "Check",
    "Queue",
    "QueueBusyError",
    "QueueDatabase",
    "QueueDatabaseError",
    "QueueOutcomeUnknownError",
    "QueueSchemaError",
    "SchedulingStrategy",
    "Task",
    "TaskClaimer",
    "TaskClaimerFactory",
    "TaskLog",
    "ValidationReport",
    "Worker",
    "open_database",
    "queue_on",
    "quick_validate",
    "schema_problems",
    "validate_worker_integration",
]
