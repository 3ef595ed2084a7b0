"""Judges what a call did to the rows, not what it said: each recorded step against the contract's transition table."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING, Any

from pytest_taskq.contract import Promises, Status, is_legal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Milliseconds = int


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The columns of a row that say where it stands; times in milliseconds since 1970."""

    status: str
    attempts: int | None
    holder: str | None
    reserved: Milliseconds | None
    deadline: Milliseconds | None
    finished: Milliseconds | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change of one row; None stands for no row."""

    task_id: int | str
    before: Held | None
    after: Held | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallMade:
    """One call and what it did to the rows. ``result`` is what it returned; ``now`` is when, in milliseconds."""

    method: str
    arguments: tuple[Any, ...]
    result: Any
    now: Milliseconds
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True)
class Breach:
    """A step, or a missing one, that breaks a requirement."""

    requirement: str
    expected: str
    seen: str


_CLAIMS = ("claim_task", "claim_by", "claim_many")
_READS = ("queue_stats", "get_task")
_FINISHES = {"complete_task": Status.COMPLETED, "fail_task": None}


@dataclass
class RowJudge:
    """Judges calls in their order; remembers from the rows alone who held which attempt.

    ``witnessed`` names the requirements whose precondition the calls brought about.
    """

    promises: Promises
    grid: Milliseconds
    witnessed: set[str] = field(default_factory=set)
    attempts: dict[int, tuple[Any, int | None]] = field(default_factory=dict)

    def judge(self, call: CallMade) -> Iterator[Breach]:
        """Yield what the call breaks."""
        if call.method in _CLAIMS or call.method == "reclaim_expired":
            yield from self._nobody_is_robbed(call)
        if call.method in _CLAIMS:
            yield from self._claim_is_recorded(call)
        if call.method in _FINISHES:
            yield from self._finish(call)
        if call.method in _READS:
            yield from self._reading_changes_nothing(call)
        if call.method == "delete_finished":
            yield from self._cleanup(call)
        yield from self._completed_stays(call)

    def _nobody_is_robbed(self, call: CallMade) -> Iterator[Breach]:
        for step in call.steps:
            was, now = step.before, step.after
            if was is None or was.status != Status.LEASED or was.deadline is None:
                continue
            self.witnessed.add("CLM-02")
            taken = now is None or now.status != was.status or now.attempts != was.attempts or now.holder != was.holder
            if taken and was.deadline > call.now:
                left = (was.deadline - call.now) / 1000
                yield Breach(
                    "CLM-02",
                    f"task {step.task_id!r} stays with {was.holder}, whose lease has {left:g} s left",
                    f"{call.method} made it {'gone' if now is None else f'{now.status}, held by {now.holder}'}",
                )

    def _claim_is_recorded(self, call: CallMade) -> Iterator[Breach]:
        returned = call.result if isinstance(call.result, list | tuple) else [call.result] if call.result else []
        worker, lease = _claimer(call)
        for task in returned:
            step = next((s for s in reversed(call.steps) if s.task_id == task.id and s.after), None)
            if step is None or step.after is None:
                yield Breach("CLM-04", f"the row of task {task.id!r} becomes leased", "no row changed")
                continue
            self.witnessed |= {"CLM-04", "CLM-02"}
            self.attempts[id(task)] = (task, step.after.attempts)
            earliest = call.now + ceil(round(lease * 1000, 6))
            latest = -(-earliest // self.grid) * self.grid
            yield from _facts(task.id, step.after, worker, call.now, earliest, latest)

    def _finish(self, call: CallMade) -> Iterator[Breach]:
        task, worker = call.arguments[0], call.arguments[1]
        attempt = self.attempts.get(id(task), (task, task.attempts))[1]
        for step in call.steps:
            was = step.before
            if was is None:
                continue
            holds = step.task_id == task.id and was.status == Status.LEASED and was.holder == worker
            holds = holds and (attempt is None or was.attempts == attempt)
            if not holds:
                yield Breach(
                    "FIN-02",
                    f"no row changes: {worker} does not hold attempt {attempt} of task {task.id!r}",
                    f"{call.method} took task {step.task_id!r} from {_shown(was)} to {_shown(step.after)}",
                )
        self.witnessed.add("FIN-02" if call.result is False else "FIN-01")
        if call.method == "complete_task" and call.result is True:
            yield from self._completion(call, task)

    def _completion(self, call: CallMade, task: Any) -> Iterator[Breach]:  # noqa: ANN401 - any task
        step = next((s for s in call.steps if s.task_id == task.id), None)
        if step is None or step.after is None or step.after.status != Status.COMPLETED:
            seen = "no row changed" if step is None else f"it is {_shown(step.after)}"
            yield Breach("FIN-01", f"the row of task {task.id!r} becomes completed: the call returned True", seen)
        elif step.after.finished != call.now:
            yield Breach(
                "FIN-01", "finished_at_utc is the time of the completion", f"{_off(step.after.finished, call.now)}"
            )

    def _reading_changes_nothing(self, call: CallMade) -> Iterator[Breach]:
        self.witnessed.add("OBS-03")
        for step in call.steps:
            yield Breach(
                "OBS-03",
                f"{call.method} changes no row",
                f"task {step.task_id!r} went from {_shown(step.before)} to {_shown(step.after)}",
            )

    def _cleanup(self, call: CallMade) -> Iterator[Breach]:
        limit = call.now - round(call.arguments[0] * 1000)
        for step in call.steps:
            was = step.before
            if was is None or step.after is not None:
                yield Breach(
                    "MNT-01",
                    "cleanup deletes rows and does nothing else",
                    f"task {step.task_id!r} became {_shown(step.after)}",
                )
                continue
            self.witnessed.add("MNT-01")
            if was.status not in self.promises.deletes or was.finished is None or was.finished >= limit:
                yield Breach(
                    "MNT-01",
                    f"only {', '.join(self.promises.deletes)} tasks finished more than {call.arguments[0]:g} s ago go",
                    f"task {step.task_id!r} went, which was {_shown(was)}",
                )
        gone = sum(step.after is None for step in call.steps)
        if call.result != gone:
            yield Breach("MNT-01", f"{gone}, the number of rows deleted", f"{call.result}")

    def _completed_stays(self, call: CallMade) -> Iterator[Breach]:
        for step in call.steps:
            if step.before is None or step.before.status != Status.COMPLETED:
                continue
            target = None if step.after is None else Status(step.after.status)
            same = step.after is not None and step.after.status == step.before.status
            if not same and not is_legal(Status.COMPLETED, call.method, target):
                yield Breach(
                    "FIN-01", f"task {step.task_id!r} stays completed", f"{call.method} made it {_shown(step.after)}"
                )


def _claimer(call: CallMade) -> tuple[str, float]:
    worker, _capabilities, lease = call.arguments[-3:]
    return worker, lease


def _facts(
    task_id: object, row: Held, worker: str, now: Milliseconds, earliest: Milliseconds, latest: Milliseconds
) -> Iterator[Breach]:
    if row.status != Status.LEASED:
        yield Breach("CLM-04", f"the row of task {task_id!r} becomes leased", f"it is {row.status}")
    if row.holder != worker:
        yield Breach("CLM-04", f"locked_by is {worker!r}", repr(row.holder))
    if row.reserved != now:
        yield Breach("CLM-04", "reserved_at_utc is the time of the claim", _off(row.reserved, now))
    if row.deadline is None or not earliest <= row.deadline <= latest:
        yield Breach(
            "CLM-04", f"lease_until_utc is {(earliest - now) / 1000:g} s after the claim", _off(row.deadline, now)
        )


def _off(moment: Milliseconds | None, now: Milliseconds) -> str:
    return "NULL" if moment is None else f"{(moment - now) / 1000:+g} s from it"


def _shown(row: Held | None) -> str:
    if row is None:
        return "no row"
    held = f" (held by {row.holder}, attempt {row.attempts})" if row.status == Status.LEASED else ""
    return f"{row.status}{held}"
