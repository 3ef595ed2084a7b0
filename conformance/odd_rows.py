"""Rows that no enqueue would write and any team may: what a task that is read from one must show."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pytest_taskq.conformance.database import using
from pytest_taskq.conformance.stored import as_json, insert_odd, is_shown_as_stored, row_of
from pytest_taskq.contract import Task
from pytest_taskq.contract.task import COLUMNS
from pytest_taskq.model.enqueueing import is_clear
from pytest_taskq.model.state import json_equal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_taskq.contract import TaskId
    from pytest_taskq.subject import Outcome, QueueUnderTest

_NULLS = ("priority", "compatibility", "attempts", "max_attempts", "run_after_utc", "created_at_utc", "updated_at_utc")

ODD_ROWS: tuple[Mapping[str, Any], ...] = (
    dict.fromkeys(_NULLS),
    *({column: None} for column in _NULLS),
    {"priority": 0, "max_attempts": 1},
    {"type": "None", "error_message": "None", "idempotency_key": "null"},
    *({"payload": text} for text in ("null", "false", "0", '""', "[]", '{"id": 9007199254740993}')),
    *({"payload": text} for text in ("not JSON {", '{"half": ', "")),
    *({"compatibility": text} for text in ("not JSON", "[1]", "null")),
)


def wrong_values(task: Task, row: Mapping[str, Any]) -> Iterator[str]:
    """Yield where the task says something that the row does not hold; a field that is None says nothing."""
    for column in COLUMNS:
        shown = getattr(task, column, None)
        if shown is not None and not is_shown_as_stored(column, shown, row[column]):
            yield f"{column} is {shown!r:.100} in the task, {row[column]!r:.100} in the row"
    for problem in (_payload_problem(task, row["payload"]), _compatibility_problem(task, row["compatibility"])):
        if problem:
            yield problem


def _payload_problem(task: Task, stored: str) -> str | None:
    return _decoding_problem("get_payload_dict()", task.get_payload_dict, stored, is_json=_is_json(stored))


def _compatibility_problem(task: Task, stored: str | None) -> str | None:
    decode = getattr(task, "get_compatibility_dict", None)
    if decode is None:
        return None
    text = "{}" if stored is None else stored
    is_object = _is_json(text) and isinstance(as_json(text), dict)
    return _decoding_problem("get_compatibility_dict()", decode, text, is_json=is_object)


def _decoding_problem(call: str, decode: Any, stored: str, *, is_json: bool) -> str | None:  # noqa: ANN401 - a method of any task
    """Return what is wrong with what ``decode`` makes of a text; what is not JSON may be an error, or come as it is."""
    try:
        given = decode()
    except Exception as error:  # noqa: BLE001 - its class is what is judged
        if is_json:
            return f"{call} raises {error!r:.200}, though {stored!r:.100} is stored"
        return None if is_clear(error) else f"{call} raises {error!r:.200}, which does not say that it is not JSON"
    wanted = as_json(stored) if _is_json(stored) else stored
    return None if json_equal(given, wanted) else f"{call} returns {given!r:.100}, stored is {stored!r:.100}"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


Reader = Callable[["QueueUnderTest", "TaskId"], "Task | None"]


def _rows_of(queue: QueueUnderTest, task_id: TaskId) -> Task | None:
    with using(queue, f"Task.from_dict(SELECT * FROM task_queue WHERE id = {task_id!r})") as database:
        with database.connection() as connection:
            mark = queue.store.placeholder
            row = connection.execute(f"SELECT * FROM task_queue WHERE id = {mark}", (task_id,)).fetchone()
        return Task.from_dict(row)


def _get(queue: QueueUnderTest, task_id: TaskId) -> Task | None:
    outcome = queue.attempt("get_task", task_id)
    _require_clear(queue, outcome, "get_task")
    found = outcome.error is not None or outcome.result is not None
    queue.require(found, f"get_task shows task {task_id!r}, which is stored", "None", method="get_task")
    return outcome.result  # type: ignore[no-any-return]  # checked by type


def _claim(queue: QueueUnderTest, _task_id: TaskId) -> Task | None:
    outcome = queue.attempt("claim_task", "w1", {}, 60.0)
    _require_clear(queue, outcome, "claim_task")
    return outcome.result  # type: ignore[no-any-return]  # checked by type


def _require_clear(queue: QueueUnderTest, outcome: Outcome, method: str) -> None:
    expected = f"{method} gives what the row holds, or an error that was meant for it"
    queue.require(outcome.error is None or is_clear(outcome.error), expected, str(outcome), method=method)


# By the method that answers for it; where the database object is the team's, all of them read through it.
READERS: Mapping[str, Reader] = {"open_database": _rows_of, "get_task": _get, "claim_task": _claim}


def read_odd_row(queue: QueueUnderTest, columns: Mapping[str, Any], method: str) -> bool:
    """Require of the task that ``method`` makes of an odd row that it shows the row. Returns whether there was one."""
    task_id = insert_odd(queue, columns)
    if task_id is None:
        return False
    try:
        task = READERS[method](queue, task_id)
        if task is None or task.id != task_id:
            return False
        found = list(wrong_values(task, row_of(queue, task_id)))
        expected = f"{method} shows the row as it is stored, or a clear error"
        queue.require(not found, expected, "; ".join(found), method=method)
    finally:
        queue.sql("DELETE FROM task_queue")
    return True
