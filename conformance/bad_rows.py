"""Rows that no enqueue would have written, put there by plain SQL, and what a claim makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_taskq.conformance.stored import insert_odd
from pytest_taskq.model.scenarios.values import BAD_ROWS as OF_THE_MODEL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_taskq.conformance.scope import WayToClaim
    from pytest_taskq.contract import TaskId
    from pytest_taskq.subject import QueueUnderTest

_WORKER = "w1"


@dataclass(frozen=True, slots=True)
class BadRow:
    """What is bad about a row, and its columns; bytes are stored as a text, whether or not they are UTF-8."""

    name: str
    columns: Mapping[str, Any]


def _of_the_model() -> tuple[BadRow, ...]:
    usual = (("type", "job"), ("payload", "{}"))
    given = ({name: value for name, value in one.columns if (name, value) not in usual} for one in OF_THE_MODEL)
    return tuple(BadRow(" and ".join(f"{name} {_shown(value)}" for name, value in row.items()), row) for row in given)


def _shown(value: object) -> str:
    return "NULL" if value is None else repr(value)


_NOT_UTF8 = b"\xff\xfe\x80"
_OVER = {"status": "leased", "attempts": 1, "locked_by": "w0"}
_COLUMNS_OF_TEXT = ("type", "payload", "compatibility", "error_message", "idempotency_key", "created_at_utc")

BAD_ROWS: tuple[BadRow, ...] = (
    *_of_the_model(),
    *(BadRow(f"{column} not UTF-8", {column: _NOT_UTF8}) for column in _COLUMNS_OF_TEXT),
    BadRow("payload NaN, which is not JSON", {"payload": "NaN"}),
    BadRow("payload empty", {"payload": ""}),
    BadRow("compatibility empty", {"compatibility": ""}),
    BadRow("compatibility nested too deep", {"compatibility": "[" * 100_000}),
    BadRow("status NULL", {"status": None}),
    BadRow("times NULL", {"created_at_utc": None, "updated_at_utc": None}),
    BadRow("leased, deadline NULL", {**_OVER, "lease_until_utc": None}),
    BadRow("leased, holder NULL", {**_OVER, "locked_by": None, "lease_until_utc": "2001-01-01 00:00:00"}),
    BadRow("lease over, deadline with T", {**_OVER, "lease_until_utc": "2001-01-01T00:00:00"}),
    BadRow("lease over, deadline with a fraction", {**_OVER, "lease_until_utc": "2001-01-01 00:00:00.5"}),
    BadRow(
        "lease over, error not UTF-8", {**_OVER, "lease_until_utc": "2001-01-01 00:00:00", "error_message": _NOT_UTF8}
    ),
)


def insert_bad(queue: QueueUnderTest, bad: BadRow) -> int | None:
    """Insert the row and return its id; None if the schema refuses it."""
    return insert_odd(queue, bad.columns)


def require_served_past(queue: QueueUnderTest, way: WayToClaim, good: TaskId, bad: Mapping[int, BadRow]) -> None:
    """Claims return the good task, a bad row at most once before it, and lease no bad row that they do not return."""
    handed_out: set[TaskId] = set()
    while good not in handed_out:
        outcome = way.attempt(queue, _WORKER)
        seen = str(outcome)
        queue.require(
            outcome.error is None, f"{way} returns a task or None, whatever is stored", seen, method=way.method
        )
        task = outcome.result
        queue.require(task is not None, f"{way} returns task {good!r}, which is claimable", "None", method=way.method)
        fresh = task.id not in handed_out and (task.id == good or task.id in bad)
        queue.require(fresh, f"{way} returns task {good!r} or a row not handed out before it", seen, method=way.method)
        handed_out.add(task.id)
    _require_not_leased_to_nobody(queue, way, {one: row for one, row in bad.items() if one not in handed_out})


def _require_not_leased_to_nobody(queue: QueueUnderTest, way: WayToClaim, kept: Mapping[int, BadRow]) -> None:
    rows = queue.sql("SELECT id FROM task_queue WHERE status = 'leased' AND locked_by = ?", (_WORKER,))
    for task_id in {row["id"] for row in rows} & set(kept):
        queue.require(
            False,
            f"row {task_id} ({kept[task_id].name}) is handed out, left or dead-lettered",
            f"leased to {_WORKER}, which {way} did not tell",
            method=way.method,
        )
