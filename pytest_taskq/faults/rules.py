"""What a call may leave of the tasks when it is cut short: pure rules over rows, one for each kind of call."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_taskq.contract import Promises, Status
from pytest_taskq.faults.survivors import FINISH, NEW, all_described, attempts_of, described, is_open, same, stands

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pytest_taskq.contract import Task, TaskId
    from pytest_taskq.faults.survivors import Row, Rows


_DELAY = ("run_after_utc",)


@dataclass(frozen=True, slots=True)
class Breach:
    """What should have survived, and what did."""

    expected: str
    seen: str

    def __str__(self) -> str:
        return f"expected {self.expected}; seen {self.seen}"


@dataclass(slots=True)
class Scene:
    """What a call meets: tasks that it is about (``targets``), tasks held by it, the worker; and what it returned."""

    promises: Promises
    known: list[TaskId] = field(default_factory=list)
    targets: list[TaskId] = field(default_factory=list)
    held: list[Task] = field(default_factory=list)
    worker: str = "w1"
    wanted: int = 1
    result: Any = None

    @property
    def returned(self) -> list[Any]:
        """The ids that an enqueue returned."""
        given = self.result if isinstance(self.result, list | tuple) else [self.result]
        return [one for one in given if one is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """The rows before the call, those that survived, and those after a call that nobody cut short.

    ``acknowledged``: the call had returned when the process died.
    """

    before: Rows
    now: Rows
    after: Rows
    acknowledged: bool


def bystanders(left: Left, changed: Collection[Any]) -> Breach | None:
    """Tasks that the call is not about stand as they were."""
    for task_id, row in left.before.items():
        if task_id in changed:
            continue
        now = left.now.get(task_id)
        if now is None or not stands(row, now):
            return Breach(
                f"a task that the call is not about is as it was ({described(task_id, row)})", described(task_id, now)
            )
    return None


def stored_whole_or_not(left: Left, scene: Scene) -> Breach | None:
    """The new tasks are all there with everything given, or none is; all are once the call has returned."""
    new = {one: row for one, row in left.now.items() if one not in left.before}
    final = {one: row for one, row in left.after.items() if one not in left.before}
    lost = [one for one in scene.returned if one not in left.now] if left.acknowledged else []
    if lost or (left.acknowledged and len(new) < scene.wanted):
        missing = f"lost: task {', '.join(map(repr, lost))}" if lost else f"{len(new)} of {scene.wanted} new tasks"
        return Breach(f"what the call returned as stored ({scene.result!r:.100}) survives", missing)
    if new and len(new) != len(final):
        return Breach(f"all {len(final)} new tasks or none", f"{len(new)} new tasks\n{all_described(new)}")
    for task_id, row in new.items():
        if not any(same(row, whole, NEW) for whole in final.values()):
            whole = final.get(task_id, next(iter(final.values())))
            return Breach("the new task wholly, or not at all", f"a part of it: {_differing(row, whole, NEW)}")
    return bystanders(left, new)


def _differing(row: Row, whole: Row, columns: Collection[str]) -> str:
    return ", ".join(
        f"{name} is {row[name]!r:.60} instead of {whole[name]!r:.60}"
        for name in columns
        if name in row and name in whole and row[name] != whole[name]
    )


def claimed_whole_or_not(left: Left, scene: Scene) -> Breach | None:
    """A task is as it was, or leased with holder, deadline and one attempt more, or taken back from who lost it."""
    leased = 0
    for task_id, before in left.before.items():
        now = left.now.get(task_id)
        if now is None:
            return Breach("every task is still stored", described(task_id, None))
        if task_id not in scene.targets:
            continue
        if _is_as_before(before, now) or _is_taken_back(before, now, scene.promises):
            continue
        if not _is_leased_whole(before, now, scene.worker):
            return Breach(
                f"the task as it was, or leased with holder {scene.worker!r}, deadline and attempt "
                f"{_next_attempt(before)}; nothing between",
                f"{described(task_id, now)}\nbefore the claim: {described(task_id, before)}",
            )
        leased += 1
    if leased > scene.wanted:
        return Breach(f"at most {scene.wanted} tasks leased by the call", all_described(left.now, scene.targets))
    return bystanders(left, scene.targets)


def _next_attempt(row: Row) -> object:
    attempts = attempts_of(row)
    return "counted" if attempts is None else attempts + 1


def _is_as_before(before: Row, now: Row) -> bool:
    return same(before, now, ("status", "attempts", "locked_by", "lease_until_utc"))


def _is_taken_back(before: Row, now: Row, promises: Promises) -> bool:
    """Whether a lease that was over was ended: the claim itself may do that, in a transaction of its own."""
    if before.get("status") != Status.LEASED or not same(before, now, ("attempts",)):
        return False
    spent = (attempts_of(before) or 0) >= (before.get("max_attempts") or 5)
    requeued = now.get("status") == Status.QUEUED and promises.lease_over == "requeue"
    return requeued or (now.get("status") == Status.FAILED and (spent or promises.lease_over == "fail"))


def _is_leased_whole(before: Row, now: Row, worker: str) -> bool:
    if now.get("status") != Status.LEASED:
        return False
    counted = attempts_of(before) is None or attempts_of(now) == attempts_of(before) + 1  # type: ignore[operator]  # not None
    timed = all(now.get(name) for name in ("lease_until_utc", "reserved_at_utc") if name in now)
    fresh = (
        "lease_until_utc" not in now or not before.get("lease_until_utc") or not same(before, now, ("lease_until_utc",))
    )
    return counted and timed and fresh and now.get("locked_by", worker) == worker


def ended_whole_or_not(status: Status) -> Callable[[Left, Scene], Breach | None]:
    """Return the rule of a call by the holder that makes the task ``status``."""

    def rule(left: Left, scene: Scene) -> Breach | None:
        for task_id in scene.targets:
            before, now, after = left.before[task_id], left.now.get(task_id), left.after.get(task_id)
            if now is None:
                return Breach("the task is still stored", described(task_id, None))
            if left.acknowledged and now.get("status", status) != status:
                return Breach(
                    f"the task is {status.value}, as the call returned {scene.result!r}",
                    described(task_id, now),
                )
            if not same(before, now, FINISH) and not _is_finished_as(after, before, now):
                return Breach(
                    "the task held as before, or wholly what the call makes of it",
                    f"a state between\n{described(task_id, now)}\nbefore: {described(task_id, before)}\n"
                    f"after the whole call: {described(task_id, after)}",
                )
        return bystanders(left, scene.targets)

    return rule


def attempts_kept(left: Left, scene: Scene) -> Breach | None:
    """A failure that is cut short neither forgets nor invents an attempt."""
    for task_id in scene.targets:
        before, now = left.before[task_id], left.now.get(task_id)
        if now is not None and not same(before, now, ("attempts", "max_attempts")):
            return Breach(
                f"the attempts counted stay {attempts_of(before)} when the task fails", described(task_id, now)
            )
    return None


def _is_finished_as(after: Row | None, before: Row, now: Row) -> bool:
    """Whether ``now`` is the whole outcome; a backoff is drawn anew in every run, so it is asked for, not compared."""
    if after is None or not same(after, now, FINISH):
        return False
    delayed = not same(before, after, _DELAY)
    return not (delayed and same(before, now, _DELAY))


def reclaimed_whole_or_not(left: Left, scene: Scene) -> Breach | None:
    """A task whose lease is over is as it was, or taken back with its attempts kept."""
    for task_id in scene.targets:
        before, now = left.before[task_id], left.now.get(task_id)
        if now is None or not (_is_as_before(before, now) or _is_taken_back(before, now, scene.promises)):
            return Breach(
                "the task as it was, or taken back with its attempts kept",
                f"{described(task_id, now)}\nbefore: {described(task_id, before)}",
            )
    return bystanders(left, scene.targets)


def renewed_or_not(left: Left, scene: Scene) -> Breach | None:
    """The deadline is the old one or the new one, the lease is held."""
    for task_id in scene.targets:
        before, now, after = left.before[task_id], left.now.get(task_id), left.after[task_id]
        old_or_new = now is not None and any(same(one, now, FINISH) for one in (before, after))
        if not old_or_new or (left.acknowledged and now is not None and not same(after, now, FINISH)):
            return Breach("the lease with its old or, once acknowledged, its new deadline", described(task_id, now))
    return bystanders(left, scene.targets)


def deleted_or_kept(left: Left, scene: Scene) -> Breach | None:
    """Each task to delete is gone or as it was, everything else is as it was."""
    for task_id in scene.targets:
        before, now = left.before[task_id], left.now.get(task_id)
        if now is not None and not stands(before, now):
            return Breach(
                f"the finished task gone or as it was ({described(task_id, before)})", described(task_id, now)
            )
        if now is not None and left.acknowledged:
            return Breach(
                "every finished task that is old enough gone, as the call has returned", described(task_id, now)
            )
    return bystanders(left, scene.targets)


def open_tasks(rows: Rows, promises: Promises, *, leases: bool) -> dict[Any, Row]:
    """Return the tasks that must be claimable once every lease is over and taken back."""
    return {
        task_id: row
        for task_id, row in rows.items()
        if is_open(row)
        and (row["status"] == Status.QUEUED or (leases and promises.lease_over == "requeue"))
        and (attempts_of(row) or 0) < (row.get("max_attempts") or 5)
    }
