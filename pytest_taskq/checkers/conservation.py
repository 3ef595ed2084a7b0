"""What went in is there, came out, or was finished: nothing is lost, nothing comes from nowhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pytest_taskq.checkers.judgement import LEGAL, Judgement, Rule, broken
from pytest_taskq.history import NEVER, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_taskq.contract import TaskId
    from pytest_taskq.history import Operation


def check_conservation(operations: Iterable[Operation], left: Mapping[TaskId, str] | Sequence[TaskId]) -> Judgement:
    """Judge that every acknowledged task is in ``left`` or certainly or possibly deleted, and nothing else is.

    ``left`` lists the tasks that the queue holds when all is over, by name or with their status. A task that was
    enqueued by a call of unknown outcome may be there or not. Each is there once: a sequence may show that it is not.
    O(n).
    """
    known = list(operations)
    enqueued = {one.task: one for one in known if one.kind is Kind.ENQUEUE and one.task is not None}
    acknowledged = {one.task: one for one in known if one.kind is Kind.ENQUEUE and one.known and one.task is not None}
    deletes = [one for one in known if one.kind is Kind.DELETE]
    ended = _may_have_ended(known)
    phantom = next(
        (one for one in known if one.kind is Kind.CLAIM and one.task is not None and one.task not in enqueued), None
    )
    if phantom is not None:
        return broken(Rule.PHANTOM, f"task {phantom.task!r}", phantom)
    for task, times in Counter(list(left)).items():
        if task not in enqueued:
            return broken(Rule.GHOST, f"task {task!r}")
        if times > 1:
            return broken(Rule.DOUBLE, f"task {task!r} is there {times} times", enqueued[task])
    present = set(left)
    for task, one in acknowledged.items():
        if task not in present and not (task in ended and any(each.end >= ended[task] for each in deletes)):
            story = [each for each in known if each.task == task]
            return broken(Rule.LOST, f"task {task!r} was acknowledged and is not there", *story, one)
    return LEGAL


def _may_have_ended(operations: Iterable[Operation]) -> dict[TaskId | None, int]:
    """Return when each task may have become completed, failed or cancelled at the earliest."""
    ended: dict[TaskId | None, int] = {}
    for one in operations:
        if one.kind in (Kind.COMPLETE, Kind.FAIL, Kind.CANCEL) and one.possible:
            ended[one.task] = min(one.call, ended.get(one.task, one.call))
    return ended


def check_statistics(operations: Iterable[Operation]) -> Judgement:
    """Judge that the counts of each STATS were those of one moment between its call and its return.

    For histories in which tasks are enqueued, claimed, completed, failed for good and cancelled, and none comes back or
    is deleted: then the counts say how many of each had happened. O(n log n).
    """
    known = list(operations)
    steps = {kind: _Steps([one for one in known if _is_step(one, kind)]) for kind in _STEPS}
    for one in known:
        if one.kind is not Kind.STATS or not one.known or not isinstance(one.result, Mapping):
            continue
        begin, end = one.call, one.end
        for kind, happened in _happened(one.result).items():
            earliest, latest = steps[kind].window(happened)
            begin, end = max(begin, earliest), min(end, latest)
        if begin > end:
            return broken(Rule.COUNTS, _counts_text(one.result), one)
    return LEGAL


_STEPS = (Kind.ENQUEUE, Kind.CLAIM, Kind.COMPLETE, Kind.FAIL, Kind.CANCEL)


def _is_step(one: Operation, kind: Kind) -> bool:
    if one.kind is not kind or (one.task is None and one.known):
        return False
    return kind in (Kind.ENQUEUE, Kind.CLAIM) or one.possible


def _happened(counts: Mapping[str, int]) -> dict[Kind, int]:
    """Return how many steps of each kind had happened, if the counts are right."""
    completed, failed, cancelled = (counts.get(status, 0) for status in ("completed", "failed", "cancelled"))
    claimed = counts.get("leased", 0) + completed + failed
    return {
        Kind.ENQUEUE: counts.get("queued", 0) + claimed + cancelled,
        Kind.CLAIM: claimed,
        Kind.COMPLETE: completed,
        Kind.FAIL: failed,
        Kind.CANCEL: cancelled,
    }


def _counts_text(counts: Mapping[str, int]) -> str:
    shown = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    return f"{shown or 'nothing'} was never true at one moment between its call and its return"


class _Steps:
    """When how many operations of one kind had happened."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self._calls = sorted(one.call for one in operations)
        self._ends = sorted(one.end for one in operations)

    def window(self, happened: int) -> tuple[int, int]:
        """Return the first and last moment at which exactly ``happened`` may have happened; (1, 0) if never.

        That many have begun, and at most that many have certainly ended.
        """
        if not 0 <= happened <= len(self._calls):
            return 1, 0
        first = self._calls[happened - 1] if happened else -NEVER
        last = self._ends[happened] if happened < len(self._ends) else NEVER
        return first, last
