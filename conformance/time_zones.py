"""The process in another time zone, and whether the times that are stored there are UTC."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from pytest_taskq.conformance.stored import is_near, row_of
from pytest_taskq.contract import Status
from pytest_taskq.contract.task import COLUMNS
from pytest_taskq.subject import NotJudgedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from pytest_taskq.contract import TaskId
    from pytest_taskq.subject import QueueUnderTest

# In the form of POSIX, which needs no time zone data: the sign is the one of west. UTC comes first, and stands for
# what the same calls come to where local time and UTC are the same.
ZONES: Mapping[str, float] = {"UTC0": 0.0, "EAST-9": 9.0, "WEST5": -5.0, "<+1245>-12:45": 12.75}
_LEASE, _LONG = 60.0, 86_400.0
_ENDS = {"cancel_task": Status.CANCELLED, "complete_task": Status.COMPLETED}
_NEVER_NULL = frozenset({"created_at_utc", "run_after_utc"})


@contextmanager
def time_zone(name: str) -> Iterator[None]:
    """Let local time be that of ``name``. Raises NotJudgedError if it is not; the process's own zone comes back."""
    before = os.environ.get("TZ")
    try:
        _set(name)
        found = time.localtime(0).tm_gmtoff / 3600
        if found != ZONES[name]:
            raise NotJudgedError(f"TZ={name} put local time at UTC{found:+g} hours instead of {ZONES[name]:+g}")
        yield
    finally:
        _set(before)


def _set(name: str | None) -> None:
    if name is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = name
    time.tzset()


class Times:
    """One life of a task and what each call of the team's wrote into the columns that end with ``_utc``."""

    def __init__(self, queue: QueueUnderTest, zone: str) -> None:
        self.queue = queue
        self.zone = zone
        self.seen = 0

    def require_utc(self) -> int:
        """Enqueue, claim, complete, cancel; require UTC of every time that is written. Returns how many there were."""
        finished, cancelled = self.enqueued(), self.enqueued()
        if self.queue.subject.offers("cancel_task"):
            self.call("cancel_task", cancelled, cancelled)
        if self.queue.subject.offers("claim_task"):
            self.claimed(finished)
        return self.seen

    def enqueued(self) -> TaskId:
        """Enqueue a task, after one that is due in a day."""
        if self.queue.subject.offers("enqueue.delay_seconds"):
            late = self.queue.enqueue("job", {}, delay_seconds=_LONG)
            self.look("enqueue", {}, row_of(self.queue, late), run_after_utc=_LONG)
        task_id = self.queue.enqueue("job", {})
        self.look("enqueue", {}, row_of(self.queue, task_id))
        return task_id

    def claimed(self, task_id: TaskId) -> None:
        """Claim the one task that is due, and complete it."""
        self.queue.advance(10)
        before = row_of(self.queue, task_id)
        outcome = self.queue.attempt("claim_task", "w1", {}, _LEASE)
        task = outcome.result
        handed = None if task is None else task.id
        expected = f"returns task {task_id!r}, the only one that is due"
        self.require_as_in_utc(handed == task_id, "claim_task", expected, str(outcome))
        self.look("claim_task", before, row_of(self.queue, task_id), lease_until_utc=_LEASE)
        self.call("complete_task", task_id, task, "w1")

    def call(self, method: str, task_id: TaskId, *arguments: Any) -> None:  # noqa: ANN401 - any method's
        """Make a call that ends the task."""
        self.queue.advance(10)
        before = row_of(self.queue, task_id)
        outcome = self.queue.attempt(method, *arguments)
        row, status = row_of(self.queue, task_id), _ENDS[method]
        ended = outcome.error is None and outcome.result and row.get("status", status) == status
        self.require_as_in_utc(ended, method, f"leaves task {task_id!r} {status} and returns True", str(outcome))
        self.look(method, before, row)

    def require_as_in_utc(self, holds: object, method: str, expected: str, seen: object) -> None:
        """Require what has nothing to do with time zones: in the usual one and in UTC it is a precondition."""
        if self.zone in ("", next(iter(ZONES))):
            self.queue.precondition(holds, f"{method} that {expected}, in the usual time zone or UTC,")
        self.queue.require(holds, f"{method} {expected}, with TZ={self.zone}", seen, method=method)

    def look(self, method: str, before: Mapping[str, Any], row: Mapping[str, Any], **ahead: float) -> None:
        """Require of each time that ``method`` wrote that it is now, or as many seconds ahead as ``ahead`` says."""
        if method not in self.queue.subject.own:
            return
        precision = self.queue.promises.time_precision
        for column in [name for name in COLUMNS if name.endswith("_utc") and name in row]:
            unwritten = row[column] is None and not (method == "enqueue" and column in _NEVER_NULL)
            if unwritten or (before and row[column] == before[column]):
                continue
            wanted = self.queue.now() + timedelta(seconds=ahead.get(column, 0.0))
            holds = is_near(row[column], wanted, early=precision, late=precision)
            where = f" with TZ={self.zone}" if self.zone else ""
            expected = f"{method} writes {column} as UTC, {wanted:%F %T}{where}"
            self.queue.require(holds, expected, row[column], method=method)
            self.seen += 1
