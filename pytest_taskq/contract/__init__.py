"""The contract as data: nouns, methods, requirements, transitions, verdicts. No pytest, no I/O."""

from __future__ import annotations

from pytest_taskq.contract.database import Connection, Cursor, Database, Row
from pytest_taskq.contract.methods import METHODS, Method, Role
from pytest_taskq.contract.promises import Backoff, Promises, inverse_priority
from pytest_taskq.contract.requirement import CONTRACT_VERSION, Instrument, Level, Requirement
from pytest_taskq.contract.task import FINAL, SchedulingStrategy, Status, Task, TaskId
from pytest_taskq.contract.transitions import TRANSITIONS, Transition, is_legal
from pytest_taskq.contract.verdict import Finding, Verdict, combine

__all__ = [
    "CONTRACT_VERSION",
    "FINAL",
    "METHODS",
    "TRANSITIONS",
    "Backoff",
    "Connection",
    "Cursor",
    "Database",
    "Finding",
    "Instrument",
    "Level",
    "Method",
    "Promises",
    "Requirement",
    "Role",
    "Row",
    "SchedulingStrategy",
    "Status",
    "Task",
    "TaskId",
    "Transition",
    "Verdict",
    "combine",
    "inverse_priority",
    "is_legal",
]
