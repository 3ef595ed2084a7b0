"""What is judged alike of a file and of a server: the tables, and the rows in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq.contract import Task
from pytest_taskq.contract.task import COLUMNS

from .report import Check

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_taskq.contract import Connection

    from .deadline import Deadline

COMES = "the reference's own columns and indexes come with its first write"
_SHOWN = 5  # named in a report
_PAGE = 500  # rows of one statement: each is short, so that no reader keeps a log from being written back
_AFTER = "SELECT id FROM task_queue WHERE id > {} ORDER BY id LIMIT {}"
_ROW = "SELECT " + ", ".join(COLUMNS) + " FROM task_queue WHERE id = {}"


def schema_check(problems: Sequence[str], notes: Sequence[str], *, extras: bool) -> Check:
    """Return whether the tables are the contract's; what is there beside them is noted."""
    lacks = [] if problems or extras else [COMES]
    return Check("INF-03", "tables are the contract's", ok=not problems, detail="; ".join([*problems, *notes, *lacks]))


def rows_check(connection: Connection, deadline: Deadline, problems: Sequence[str], *, ask: str = "?") -> Check:
    """Return whether every row makes a task and the task the same row.

    ``problems`` are those of the schema, ``ask`` is the driver's placeholder.
    """
    name = "rows make tasks and tasks make the same rows"
    if any("task_queue" in problem and "missing" in problem for problem in problems):
        return Check.not_judged("INF-05", name, "the schema lacks what a task is made of")
    wrong: list[str] = []
    noted: list[str] = []
    count = 0
    for task_id in _ids(connection, ask):
        if deadline.over:
            noted.append(f"the other rows were not read within {deadline.seconds:g} s")
            break
        count += 1
        said, is_wrong = _look(connection, _ROW.format(ask), task_id)
        (wrong if is_wrong else noted).extend(said)
    detail = "; ".join(part for part in (f"{count} rows", few(wrong), few(noted)) if part)
    return Check("INF-05", name, ok=not wrong, detail=detail)


def few(texts: Iterable[str]) -> str:
    """Return the first of them in one line, and how many more there are."""
    listed = list(texts)
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return "; ".join(listed[:_SHOWN]) + more


def _ids(connection: Connection, ask: str) -> Iterator[int]:
    last = -(2**63)
    while page := [row[0] for row in connection.execute(_AFTER.format(ask, _PAGE), (last,)).fetchall()]:
        yield from page
        last = page[-1]


def _look(connection: Connection, query: str, task_id: int) -> tuple[list[str], bool]:
    """Return what is to be said of one row, and whether it is wrong and not only odd."""
    try:
        row = connection.execute(query, (task_id,)).fetchone()
        if row is None:
            return [], False  # deleted since
        task = Task.from_dict(row)
    except Exception as error:  # noqa: BLE001 - a clear error of model or driver is what the contract asks for
        return [f"row {task_id}: {error}"], False
    if task.to_dict() != dict(zip(row.keys(), tuple(row), strict=True)):
        return [f"row {task_id} changed on the way"], True
    return list(_unreadable(task)), False


def _unreadable(task: Task) -> Iterator[str]:
    for read in (task.get_payload_dict, task.get_compatibility_dict):
        try:
            read()
        except ValueError as error:
            yield str(error)
