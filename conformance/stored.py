"""What is stored of a task, and whether a task that a call returned shows the same."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pytest_taskq.contract.task import COLUMNS
from pytest_taskq.model.state import json_equal
from pytest_taskq.subject import NotJudgedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_taskq.contract import Task, TaskId
    from pytest_taskq.subject import QueueUnderTest

# What the schema gives where an INSERT names no value (times apart); NULL may be shown as these.
DEFAULTS: Mapping[str, object] = {
    "priority": 100,
    "compatibility": "{}",
    "status": "queued",
    "attempts": 0,
    "max_attempts": 5,
}
_JSON = ("payload", "compatibility")
_MOST_CLAIMS = 200  # more than any check has tried to store; a queue that never runs empty must end, too


def count(queue: QueueUnderTest) -> int:
    """Return how many tasks are stored; where nothing lists or counts them, how many can be claimed."""
    if queue.subject.shared_schema:
        return int(queue.sql("SELECT count(*) FROM task_queue")[0][0])
    all_tasks = getattr(queue.adapter, "all_tasks", None)
    if all_tasks is not None:
        return len(all_tasks())
    if queue.subject.offers("queue_stats"):
        return sum(queue.queue_stats().values())
    claimed = itertools.takewhile(lambda task: task is not None, (queue.claim_task() for _ in range(_MOST_CLAIMS)))
    return sum(1 for _ in claimed)


def row_of(queue: QueueUnderTest, task_id: TaskId) -> Mapping[str, Any]:
    """Return the stored row; of a queue with its own storage what ``get_task`` shows, which may be nothing."""
    if queue.subject.shared_schema:
        rows = queue.sql("SELECT * FROM task_queue WHERE id = ?", (task_id,))
        queue.require(rows, f"task {task_id!r} is stored in task_queue", "no such row")
        return dict(rows[0])
    task = queue.get_task(task_id) if queue.subject.offers("get_task") else None
    return {name: shown for name in COLUMNS if (shown := getattr(task, name, None)) is not None}


def fields_of(queue: QueueUnderTest, task_id: TaskId, capabilities: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the queue tells of a new task: its row, or what ``get_task`` or else a claim of it shows."""
    if queue.subject.shared_schema or queue.subject.offers("get_task"):
        return row_of(queue, task_id)
    task = queue.claim_task(capabilities=capabilities)
    if task is None or task.id != task_id:  # a delayed one, or not the only one: not for this to judge
        return {}
    changed = ("status", "attempts")  # by the claim
    return {name: shown for name in COLUMNS if name not in changed and (shown := getattr(task, name, None)) is not None}


def insert(queue: QueueUnderTest, **columns: Any) -> int:  # noqa: ANN401 - any value of a column
    """Insert a row as a team would. Raises NotJudgedError if the tables refuse it."""
    task_id = insert_odd(queue, columns)
    if task_id is None:
        raise NotJudgedError(f"the tables refuse a row with {columns!r}")
    return task_id


def insert_odd(queue: QueueUnderTest, columns: Mapping[str, Any]) -> int | None:
    """Insert a row that not every schema takes; None if this one does not."""
    return queue.insert({"type": "job", "payload": "{}", **columns})


def moment(stored: object) -> datetime:
    """Return a stored UTC time. Raises ValueError for what is no time, or carries another offset than UTC's."""
    parsed = datetime.fromisoformat(str(stored))
    if parsed.utcoffset():
        raise ValueError(f"{stored!r} is not UTC: it carries the offset {parsed.utcoffset()}")
    return parsed.replace(tzinfo=UTC)


def is_near(stored: object, wanted: datetime, *, early: float = 0.0, late: float = 0.0) -> bool:
    """Whether a stored time is at most ``early`` seconds before ``wanted`` and at most ``late`` after it."""
    try:
        found = moment(stored)
    except ValueError:
        return False
    return wanted - timedelta(seconds=early) <= found <= wanted + timedelta(seconds=late)


def differences(task: Task, row: Mapping[str, Any]) -> Iterator[str]:
    """Yield where a field of the task contradicts the row; a field that is None says nothing."""
    for column in COLUMNS:
        shown = getattr(task, column, None)
        if shown is not None and column in row and not _same(column, shown, row[column]):
            yield f"{column} is {shown!r:.100} in the task, {row[column]!r:.100} in the row"


def _same(column: str, shown: object, stored: object) -> bool:
    if stored is None:
        return not shown or shown == DEFAULTS.get(column) or shown == {}
    return is_shown_as_stored(column, shown, stored)


def is_shown_as_stored(column: str, shown: object, stored: object) -> bool:
    """Whether a value that is shown is the stored one: the same, the same JSON, or the same moment; NULL is None."""
    if stored is None or shown is None:
        return shown is stored
    if shown == stored:
        return True
    try:
        if column in _JSON:
            return json_equal(as_json(shown), as_json(stored))
        return column.endswith("_utc") and bool(moment(shown) == moment(stored))
    except ValueError:
        return False


def as_json(held: object) -> Any:  # noqa: ANN401 - any JSON value
    """Return what a stored text says; a value that is decoded already is returned as it is."""
    return json.loads(held) if isinstance(held, str | bytes) else held
