"""What is stored of the tasks, and whether what a dead process left of one is a state that the contract knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_taskq.contract import FINAL, Status
from pytest_taskq.subject.violation import NotJudgedError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pytest_taskq.contract import TaskId
    from pytest_taskq.subject import QueueUnderTest, Subject

Row = Mapping[str, Any]
Rows = Mapping[Any, Row]

_GIVEN = ("type", "payload", "priority", "compatibility", "max_attempts", "idempotency_key")
NEW = (*_GIVEN, "status", "attempts", "run_after_utc")
FINISH = (
    *("status", "attempts", "locked_by", "reserved_at_utc", "lease_until_utc"),
    *("finished_at_utc", "error_message"),
)
# Of a task that the call is not about; its times and hints are the team's business as long as its state stands.
_STANDING = ("type", "payload", "status", "attempts", "max_attempts")
_HELD = ("locked_by", "lease_until_utc")
_SHOWN = ("status", "attempts", "max_attempts", "locked_by", "lease_until_utc", "finished_at_utc", "error_message")
SHOWS_NOTHING = "all_tasks and get_task: the queue shows no tasks, so what survives cannot be told"


def shows_nothing(subject: Subject) -> bool:
    """Whether neither rows nor the adapter of a queue with its own storage tell which tasks are stored."""
    return not (subject.shared_schema or hasattr(subject.adapter, "all_tasks") or subject.offers("get_task"))


def lists_all(subject: Subject) -> bool:
    """Whether every stored task is seen, also one whose id nobody was told."""
    return subject.shared_schema or hasattr(subject.adapter, "all_tasks")


def read_rows(queue: QueueUnderTest, known: Iterable[TaskId]) -> Rows:
    """Return every stored task by its id; of a queue with its own storage what its adapter shows of them."""
    if queue.subject.shared_schema:
        return {row["id"]: dict(row) for row in queue.sql("SELECT * FROM task_queue ORDER BY id")}
    listed = getattr(queue.adapter, "all_tasks", None)
    tasks = listed() if listed is not None else map(queue.get_task, known)
    return {task.id: {k: v for k, v in task.to_dict().items() if v is not None} for task in tasks if task is not None}


def integrity_problem(queue: QueueUnderTest) -> str | None:
    """Return what the database finds wrong with itself, None if it is whole."""
    if not queue.subject.shared_schema:
        return None
    found = [str(row[0]) for row in queue.sql(queue.store.integrity_check)]
    return None if found == ["ok"] else f"the integrity check says: {'; '.join(found)}"


def same(one: Row, other: Row, columns: Iterable[str]) -> bool:
    """Whether two rows agree in what both of them show."""
    return all(one[name] == other[name] for name in columns if name in one and name in other)


def stands(before: Row, now: Row) -> bool:
    """Whether a task is in the same state as before, with the same holder and deadline if it is leased."""
    return same(before, now, (*_STANDING, *(_HELD if before.get("status") == Status.LEASED else ())))


def status_of(row: Row) -> Status:
    """Return the status. Raises NotJudgedError where the queue does not show one."""
    if "status" not in row:
        raise NotJudgedError("the tasks that this queue shows carry no status, so what survived cannot be told")
    return row["status"]  # type: ignore[no-any-return]  # a text outside of the contract is equal to none


def is_open(row: Row) -> bool:
    """Whether the task may still be claimed some time."""
    return status_of(row) not in FINAL


def attempts_of(row: Row) -> int | None:
    """Return the claims counted so far, None where the queue does not show them."""
    return row.get("attempts")


def described(task_id: object, row: Row | None) -> str:
    """Return a task in one line, as evidence."""
    if row is None:
        return f"task {task_id!r}: not there"
    shown = ", ".join(f"{name} {row[name]!r:.60}" for name in _SHOWN if row.get(name) is not None)
    return f"task {task_id!r}: {shown}"


def all_described(rows: Rows, only: Collection[Any] = ()) -> str:
    """Return what survived, a line for each task."""
    return "\n".join(described(one, row) for one, row in rows.items() if not only or one in only) or "no task at all"
