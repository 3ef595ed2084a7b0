"""The checkers by name, each with all that it needs to know of a queue: what a recorded history asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_taskq.checkers.conservation import check_conservation, check_statistics
from pytest_taskq.checkers.holding import check_fencing, check_leases
from pytest_taskq.checkers.judgement import Judgement, undecided
from pytest_taskq.checkers.queues import (
    check_by_key,
    check_empties,
    check_fifo,
    check_lifo,
    check_priority,
    check_rows_in_order,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_taskq.checkers.stays import Redelivery
    from pytest_taskq.contract import TaskId
    from pytest_taskq.history import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """How the queue behaves: ``redelivery`` None if tasks are handed out once, ``left`` None if nobody looked."""

    redelivery: Redelivery | None = None
    precision: int = 0
    skip_locked: bool = False
    descending: bool = False
    left: Mapping[TaskId, str] | None = None


def judge(check: str, operations: Sequence[Operation], ways: Ways) -> Judgement:
    """Return what the checker called ``check`` says. Raises ValueError if there is none, naming those there are."""
    if check not in CHECKS:
        raise ValueError(f"there is no check {check!r}; there are {', '.join(CHECKS)}")
    return CHECKS[check](operations, ways)


def _conservation(operations: Sequence[Operation], ways: Ways) -> Judgement:
    if ways.left is None:
        return undecided("nobody looked at what the queue held at the end")
    return check_conservation(operations, ways.left)


def _sign(ways: Ways) -> int:
    return -1 if ways.descending else 1


CHECKS: dict[str, Callable[[Sequence[Operation], Ways], Judgement]] = {
    "fifo": lambda known, ways: check_fifo(known, redelivery=ways.redelivery, skip_locked=ways.skip_locked),
    "lifo": lambda known, ways: check_lifo(known, redelivery=ways.redelivery, skip_locked=ways.skip_locked),
    "priority": lambda known, ways: check_priority(
        known,
        order="descending" if ways.descending else "ascending",
        redelivery=ways.redelivery,
        skip_locked=ways.skip_locked,
    ),
    "fifo by row": lambda known, ways: check_by_key(
        known, lambda one: one.row, redelivery=ways.redelivery, skip_locked=ways.skip_locked
    ),
    "lifo by row": lambda known, ways: check_by_key(
        known, _newest_first, redelivery=ways.redelivery, skip_locked=ways.skip_locked
    ),
    "priority by row": lambda known, ways: check_by_key(
        known,
        lambda one: (_sign(ways) * one.priority, one.row),
        redelivery=ways.redelivery,
        skip_locked=ways.skip_locked,
    ),
    "empties": lambda known, ways: check_empties(known, redelivery=ways.redelivery, skip_locked=ways.skip_locked),
    "rows in order": lambda known, _: check_rows_in_order(known),
    "leases": lambda known, ways: check_leases(known, precision=ways.precision),
    "fencing": lambda known, ways: check_fencing(known, precision=ways.precision),
    "conservation": _conservation,
    "statistics": lambda known, _: check_statistics(known),
}


def _newest_first(one: Operation) -> int:
    if not isinstance(one.row, int):
        raise TypeError(f"last in, first out by row needs rows that are integers, got {one.row!r} for {one.task!r}")
    return -one.row
