"""What of a recording a requirement is judged by: nothing that the code under test says of itself and need not keep."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_taskq.history import NEVER, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_taskq.contract import TaskId
    from pytest_taskq.history import Operation


def without_attempts(operations: Iterable[Operation]) -> list[Operation]:
    """Leave out the attempts: that they count up is another requirement's business."""
    return [replace(one, attempt=None) if one.attempt is not None else one for one in operations]


def certainly_due(operations: Sequence[Operation], precision: int, due: Mapping[TaskId, int]) -> list[Operation]:
    """Let each enqueue return only when its task was certainly due.

    Off the grid of the clock a queue may make a task due up to one ``precision`` late, unless the stored time says
    that it was ``due`` (monotonic nanoseconds) when the call returned. And times do not run backwards: once a task that
    was certainly enqueued later has been handed out, the earlier one was due too.
    """
    enqueued = {one.task: one for one in operations if one.kind is Kind.ENQUEUE and one.known}
    claims = [one for one in operations if one.kind is Kind.CLAIM and one.task in enqueued]
    proofs = sorted((enqueued[one.task].call, one.end) for one in claims)
    calls = [call for call, _ in proofs]
    first_after = [NEVER] * (len(proofs) + 1)
    for number in range(len(proofs) - 1, -1, -1):
        first_after[number] = min(proofs[number][1], first_after[number + 1])
    return [
        replace(one, returned=max(one.end, min(one.end + precision, first_after[bisect_right(calls, one.end)])))
        if one.kind is Kind.ENQUEUE and one.known and due.get(one.task or "", NEVER) > one.end
        else one
        for one in operations
    ]


def claimed_at_last(operations: Sequence[Operation]) -> list[Operation]:
    """Leave out the tasks that nobody ever got: whether they were there to be had is not known."""
    got = {one.task for one in operations if one.kind is Kind.CLAIM}
    return [one for one in operations if one.task is None or one.task in got]


def choices(operations: Sequence[Operation]) -> int:
    """Return how many claims found two tasks or more certainly waiting at their call."""
    ends = sorted(one.end for one in operations if one.kind is Kind.ENQUEUE and one.known)
    claims = [one for one in operations if one.kind is Kind.CLAIM and one.task is not None]
    taken = sorted(one.call for one in claims)
    # A claim that has begun may have taken its task; the claim itself is not counted among them.
    return sum(bisect_right(ends, one.call) - (bisect_right(taken, one.call) - 1) > 1 for one in claims)
