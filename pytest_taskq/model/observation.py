"""Compares what is stored with what the model knows, after each call."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pytest_taskq.contract import Status
from pytest_taskq.contract.task import COLUMNS
from pytest_taskq.model.claiming import dead_lettered
from pytest_taskq.model.disagreement import Disagreement
from pytest_taskq.model.state import ModelTask, Window, json_equal
from pytest_taskq.model.upkeep import settle

if TYPE_CHECKING:
    from pytest_taskq.contract import TaskId
    from pytest_taskq.model.model import Model
    from pytest_taskq.model.state import Milliseconds

Row = Mapping[str, Any]


def moment(text: object) -> Milliseconds | None:
    """Return a stored UTC time as milliseconds since 1970; None for NULL. Raises ValueError for anything else."""
    if text is None:
        return None
    parsed = datetime.fromisoformat(str(text))
    aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1000)


def observe(model: Model, rows: Iterable[Row], *, complete: bool = True) -> Iterator[Disagreement]:
    """Yield where the stored rows differ from what the last call may have left; ``complete``: all rows are given."""
    by_id: dict[TaskId, Row] = {row["id"]: row for row in rows}
    for task_id, task in list(model.state.tasks.items()):
        row = by_id.pop(task_id, None)
        if row is None:
            if complete:
                yield _differs(model, "*", f"task {task_id!r} is stored", "it is gone")
            continue
        status = _value(row, "status")
        if task.unsure and status in set(Status):
            settle(model, task_id, Status(status))
        if task.bad and task.status is Status.QUEUED:
            yield from _bad_row(model, task, status)
        yield from _compare(model, task, row)
    for task_id in by_id if complete else ():
        yield _differs(model, "*", "no other task is stored", f"task {task_id!r}")


def _value(row: Row, column: str) -> Any:  # noqa: ANN401 - a column
    return row[column] if column in row.keys() else None  # noqa: SIM118 - a Row iterates over its values


def _bad_row(model: Model, task: ModelTask, status: object) -> Iterator[Disagreement]:
    """A bad row may be handed out or dead-lettered, never leased without being handed out."""
    model.witness("CLM-11")
    if status == Status.LEASED:
        ids = model.blamed("status") | {"CLM-11"}
        yield Disagreement(ids, f"the bad row {task.id!r} is handed out or left", "leased to nobody")
    elif status == Status.FAILED:
        dead_lettered(model.state, task)


def round_trips(model: Model, rows: Iterable[Row]) -> Iterator[Disagreement]:
    """What a call returned as a task is the stored row, column by column; None shows nothing."""
    by_id = {row["id"]: row for row in rows}
    for found in model.returned:
        row = by_id.get(found.id)
        if row is None:
            continue
        model.witness("INF-05")
        for column in COLUMNS:
            shown, stored = getattr(found, column, None), _value(row, column)
            if shown is not None and shown != stored and not _same_moment(column, shown, stored):
                expected = f"{column} {stored!r:.200}, as it is stored for task {found.id!r}"
                yield Disagreement(frozenset({"INF-05"}), expected, f"{shown!r:.200}")


def _same_moment(column: str, shown: object, stored: object) -> bool:
    """Whether a time is shown in another way than it is stored: as a ``datetime``, or with its offset of 0."""
    try:
        return column.endswith("_utc") and moment(str(shown)) == moment(stored)
    except ValueError:
        return False


def _differs(model: Model, field: str, expected: str, seen: str) -> Disagreement:
    return Disagreement(model.blamed(field), expected, seen)


def _compare(model: Model, task: ModelTask, row: Row) -> Iterator[Disagreement]:
    for field, column, check in _CHECKS:
        if column not in row.keys() or (row[column] is None and column not in _TELLING_NULLS):  # noqa: SIM118 - a Row iterates over its values
            continue
        if task.bad and field not in _EVEN_IF_BAD:
            continue
        try:
            wrong = check(model, task, row[column])
        except ValueError as error:
            wrong = ("a value of that column", f"{row[column]!r} ({error})")
        if wrong:
            expected, seen = wrong
            yield _differs(model, field, f"{column} of task {task.id!r} is {expected}", seen)
    _sharpen(task, row)


def _sharpen(task: ModelTask, row: Row) -> None:
    # Where the contract leaves a window, what was stored within it is what counts from now on.
    if task.status is Status.QUEUED and not task.due.exact and not task.bad:
        due = moment(_value(row, "run_after_utc"))
        if due is not None and task.due.low <= due <= task.due.high:
            task.due = Window(due, due)


Wrong = tuple[str, str] | None


def _same(known: object, seen: object) -> Wrong:
    return None if known == seen else (repr(known)[:200], repr(seen)[:200])


def _payload(_model: Model, task: ModelTask, seen: Any) -> Wrong:  # noqa: ANN401 - a column
    value = json.loads(seen)
    return None if json_equal(value, task.payload) else (repr(task.payload)[:200], repr(value)[:200])


def _compatibility(_model: Model, task: ModelTask, seen: Any) -> Wrong:  # noqa: ANN401 - a column
    value = json.loads(seen)
    return None if json_equal(value, task.compatibility) else (repr(task.compatibility)[:200], repr(value)[:200])


def _due(model: Model, task: ModelTask, seen: Any) -> Wrong:  # noqa: ANN401 - a column
    due = moment(seen)
    if task.status is not Status.QUEUED or due is None:
        return None
    in_window = task.due.low <= due <= task.due.high
    fits = in_window if task.waits_for else due <= max(task.due.high, model.state.now)
    low, high = _shown(task.due.low), _shown(task.due.high)
    expected = f"{low} .. {high}" if task.waits_for else f"{high} or before"
    return None if fits else (expected, str(seen))


def _deadline(_model: Model, task: ModelTask, seen: Any) -> Wrong:  # noqa: ANN401 - a column
    if task.status is Status.LEASED:
        if task.lease is None:
            return None
        at = moment(seen)
        fits = at is not None and task.lease.low <= at <= task.lease.high
        return None if fits else (_shown(task.deadline), str(seen))
    if task.status is Status.FAILED and seen is not None:
        return "NULL: a dead letter holds no lease", str(seen)
    return None


def _holder(_model: Model, task: ModelTask, seen: Any) -> Wrong:  # noqa: ANN401 - a column
    if task.status is Status.LEASED:
        return _same(task.holder, seen)
    if task.status is Status.FAILED and seen is not None:
        return "NULL: a dead letter holds no lease", repr(seen)
    return None


def _error(_model: Model, task: ModelTask, seen: Any) -> Wrong:  # noqa: ANN401 - a column
    if task.error is None:
        return None
    if not seen:
        return f"the error {task.error!r:.60}, whole or cut", repr(seen)
    plain = task.error.isascii() and task.error.isprintable()
    return None if not plain or task.error.startswith(str(seen)[:200]) else (repr(task.error)[:80], repr(seen)[:80])


def _finished(_model: Model, task: ModelTask, seen: Any) -> Wrong:  # noqa: ANN401 - a column
    if task.finished is None or task.status is Status.CANCELLED:
        return None
    return None if moment(seen) == task.finished else (_shown(task.finished), str(seen))


def _shown(time: Milliseconds | None) -> str:
    if time is None:
        return "NULL"
    return datetime.fromtimestamp(time / 1000, UTC).isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")


Check = Callable[["Model", ModelTask, Any], Wrong]

_CHECKS: tuple[tuple[str, str, Check], ...] = (
    ("status", "status", lambda _m, task, seen: _same(task.status.value, seen)),
    ("attempts", "attempts", lambda _m, task, seen: _same(task.attempts, seen)),
    ("type", "type", lambda _m, task, seen: _same(task.type, seen)),
    ("payload", "payload", _payload),
    ("*", "priority", lambda _m, task, seen: _same(task.priority, seen)),
    ("*", "max_attempts", lambda _m, task, seen: _same(task.max_attempts, seen)),
    ("compatibility", "compatibility", _compatibility),
    ("key", "idempotency_key", lambda _m, task, seen: _same(task.key, seen)),
    ("due", "run_after_utc", _due),
    ("holder", "locked_by", _holder),
    ("deadline", "lease_until_utc", _deadline),
    ("error", "error_message", _error),
    ("finished", "finished_at_utc", _finished),
)
_TELLING_NULLS = frozenset({"locked_by", "lease_until_utc", "finished_at_utc", "error_message"})
_EVEN_IF_BAD = frozenset({"holder", "deadline"})
