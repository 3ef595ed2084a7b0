"""The pure state of the model: tasks, claims, and virtual time in whole milliseconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING, Any

from pytest_taskq.contract import Promises, Status

if TYPE_CHECKING:
    from pytest_taskq.contract import TaskId

Milliseconds = int


def milliseconds(seconds: float) -> Milliseconds:
    """Return seconds as whole milliseconds, rounded up: a deadline may be late by less than one, never early."""
    return ceil(round(seconds * 1000, 6))


@dataclass(frozen=True, slots=True)
class Window:
    """A time known up to an interval: ``low`` is the earliest it may be, ``high`` the latest."""

    low: Milliseconds
    high: Milliseconds

    @property
    def exact(self) -> bool:
        """Whether both ends are the same."""
        return self.low == self.high


@dataclass(slots=True, kw_only=True)
class ModelTask:
    """What the contract lets us know of one task.

    ``due`` is when it may first be claimed and ``waits_for`` why it is not due at once ("delay", "backoff" or
    nothing). ``place`` orders tasks by age: the number of the enqueue, or of the return to the back of the queue.
    ``unsure`` marks an over lease that a claim may or may not have taken back; an observation of the row settles it.
    ``bad`` is a row of plain SQL that a claim may hand out or dead-letter (CLM-11).
    """

    id: TaskId
    type: str
    payload: Any
    priority: int = 100
    compatibility: Any = None
    max_attempts: int = 5
    key: str | None = None
    status: Status = Status.QUEUED
    attempts: int = 0
    due: Window
    waits_for: str = ""
    place: int
    holder: str | None = None
    lease: Window | None = None
    error: str | None = None
    finished: Milliseconds | None = None
    unsure: bool = False
    bad: bool = False

    @property
    def deadline(self) -> Milliseconds | None:
        """When its lease is over on the grid of the promised precision, None if there is no lease."""
        return None if self.lease is None else self.lease.high

    @property
    def unable(self) -> bool:
        """Whether it has used up its attempts."""
        return self.attempts >= self.max_attempts


@dataclass(slots=True)
class Claim:
    """One claim that returned a task: whose it is, which attempt, and what ended it."""

    task: Any
    task_id: TaskId
    attempt: int
    worker: str
    ended_by: str = ""


@dataclass(slots=True)
class State:
    """Everything the model knows at one moment."""

    promises: Promises
    now: Milliseconds = 0
    leases: bool = True
    tasks: dict[TaskId, ModelTask] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)
    gone: dict[str, TaskId] = field(default_factory=dict)
    deleted: set[TaskId] = field(default_factory=set)
    places: int = 0

    @property
    def grid(self) -> Milliseconds:
        """The promised precision of stored times."""
        return milliseconds(self.promises.time_precision)

    def rounded_up(self, moment: Milliseconds) -> Milliseconds:
        """Return the first moment on the grid that is not before ``moment``; the grid begins at the epoch."""
        return -(-moment // self.grid) * self.grid

    def after(self, seconds: float) -> Window:
        """Return the window in which what happens ``seconds`` from now may be stored: never early, rounded up."""
        moment = self.now + milliseconds(seconds)
        return Window(moment, self.rounded_up(moment))

    def next_place(self) -> int:
        """Return a place behind all others."""
        self.places += 1
        return self.places

    def over(self, task: ModelTask) -> bool:
        """Whether the task is leased and its lease is over."""
        return task.status is Status.LEASED and task.deadline is not None and task.deadline <= self.now

    def may_be_claimed(self, task: ModelTask) -> bool:
        """Whether a claim may return the task, worker aside."""
        if task.unable:
            return False
        return self.over(task) or (task.status is Status.QUEUED and task.due.low <= self.now)

    def must_be_claimable(self, task: ModelTask) -> bool:
        """Whether a claim must not come back empty because of this task, worker aside."""
        queued_and_due = task.status is Status.QUEUED and task.due.high <= self.now
        return queued_and_due and not task.unable and not task.bad and not task.unsure

    def holder_of(self, task_id: TaskId) -> Claim | None:
        """Return the claim that holds the task now, None if nobody does."""
        task = self.tasks.get(task_id)
        if task is None or task.status is not Status.LEASED:
            return None
        mine = [c for c in self.claims if c.task_id == task_id and c.attempt == task.attempts and not c.ended_by]
        return mine[-1] if mine else None

    def end_claims(self, task_id: TaskId, by: str) -> None:
        """Note what ended the open claims of a task."""
        for claim in self.claims:
            if claim.task_id == task_id and not claim.ended_by:
                claim.ended_by = by


def json_equal(left: Any, right: Any) -> bool:  # noqa: ANN401 - any JSON values
    """Whether two decoded JSON values are the same: true is not 1, 1 is 1.0, order of keys does not matter."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(json_equal(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(json_equal, left, right))
    return bool(left == right)


def satisfies(capabilities: Any, compatibility: Any) -> bool:  # noqa: ANN401 - any JSON objects
    """Whether a worker may do a task: each key of ``compatibility`` is there and equal as JSON."""
    return all(key in capabilities and json_equal(capabilities[key], value) for key, value in compatibility.items())
