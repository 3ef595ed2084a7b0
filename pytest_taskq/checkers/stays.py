"""From operations to stays: when each task certainly entered the queue, and when it left it."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pytest_taskq.checkers.judgement import Judgement, Rule, broken
from pytest_taskq.history import NEVER, Kind, Operation, Tenure, tenures_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_taskq.contract import TaskId


# A claim that died happened, if at all, before the end of time: a task that never left is still there then.
_AT_LAST = NEVER - 1


class Stay(NamedTuple):
    """One stay of a task in the queue: it entered within ``[ec, er]`` and left within ``[cc, cr]``, nanoseconds.

    So it was certainly there in the open interval ``(er, cc)``. ``cc`` and ``cr`` are NEVER if it did not leave.
    ``served`` is False if it left otherwise than by a claim whose order is judged. ``enqueued`` is the operation that
    brought the task, ``entry`` the one that began this stay, ``exit`` the one that ended it.
    """

    ec: int
    er: int
    cc: int
    cr: int
    served: bool
    enqueued: Operation
    entry: Operation
    exit: Operation | None

    @property
    def task(self) -> TaskId:
        """The task; every operation that makes a stay names one."""
        return self.enqueued.task  # type: ignore[return-value]  # see _Sorted

    @property
    def witness(self) -> tuple[Operation | None, ...]:
        """The operations that prove where it was."""
        return (self.enqueued, self.entry, self.exit)

    def left_by(self, claim: Operation) -> Stay:
        """Return the stay as ended by a claim that died, so that it may have taken the task at any time since."""
        return self._replace(cc=max(claim.call, self.ec), cr=_AT_LAST, served=True, exit=claim)


@dataclass(frozen=True, slots=True, kw_only=True)
class Redelivery:
    """How a task comes back: after a refused completion never, after a failure when its delay is over, after a lease.

    ``precision``: resolution of the queue's clock in nanoseconds, by which a deadline may be early or late.
    ``requeues``: whether a lease that is over gives the task back. ``claims_reclaim``: whether a claim takes back
    what is over by itself; if not, the task is certainly there only after a RECLAIM.
    """

    precision: int = 0
    requeues: bool = True
    claims_reclaim: bool = True


@dataclass(slots=True)
class Traffic:
    """All stays, the claims that found nothing, and the claims of which nobody knows what they took."""

    stays: list[Stay]
    empties: list[Operation]
    unknown: list[Operation]
    returned: bool = False
    """Whether a task stayed more than once."""


class _Sorted:
    """The operations by what they mean for the queue."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self.enqueued: dict[TaskId, Operation] = {}
        self.claims: list[Operation] = []
        self.empties: list[Operation] = []
        self.unknown: list[Operation] = []
        self.cancelled: dict[TaskId, Operation] = {}
        self.others: list[Operation] = []
        for one in operations:
            kind = one.kind
            if kind is Kind.CLAIM:
                if one.task is not None:
                    self.claims.append(one)
                else:
                    (self.empties if one.known else self.unknown).append(one)
            elif kind is Kind.ENQUEUE:
                self._enqueue(one)
            elif kind is Kind.CANCEL and one.possible and one.task is not None:
                self.cancelled.setdefault(one.task, one)
            else:
                self.others.append(one)

    def _enqueue(self, one: Operation) -> None:
        # The same task twice is one task with an idempotency key: the first that was sure to have stored it counts.
        if one.task is None:
            return
        first = self.enqueued.get(one.task)
        if first is None:
            self.enqueued[one.task] = one
        else:
            self.enqueued[one.task] = _either(first, one)


def _either(first: Operation, second: Operation) -> Operation:
    from dataclasses import replace

    early, late = min(first, second, key=lambda one: one.call), min(first, second, key=lambda one: one.end)
    return replace(early, returned=late.returned, error=late.error)


def traffic_of(operations: Iterable[Operation], redelivery: Redelivery | None = None) -> Traffic | Judgement:
    """Return who stayed when, or why no order of the operations can explain them. O(n log n).

    Without ``redelivery`` a task is handed out once. A cancelled task leaves like a claimed one, out of turn.
    """
    found = _Sorted(operations)
    if redelivery is None:
        return _once_each(found)
    return _again(found, redelivery)


def _once_each(found: _Sorted) -> Traffic | Judgement:
    taken: dict[TaskId, Operation] = {}
    enqueued = found.enqueued
    for one in found.claims:
        task = one.task
        assert task is not None  # noqa: S101 - _Sorted put it here because it names one
        if task in taken:
            return broken(Rule.DOUBLE, f"task {task!r}", enqueued.get(task), taken[task], one)
        taken[task] = one
        source = enqueued.get(task)
        if source is None or (one.returned is not None and one.returned < source.call + source.delay):
            return broken(Rule.PHANTOM, f"task {task!r}", source, one)
    twice = next((task for task, one in found.cancelled.items() if one.accepted and task in taken), None)
    if twice is not None:
        text = f"task {twice!r} was cancelled and claimed"
        return broken(Rule.FINISHED, text, enqueued.get(twice), taken[twice], found.cancelled[twice])
    stays = [_single(one, taken.get(task), found.cancelled.get(task)) for task, one in enqueued.items()]
    return Traffic([one for one in stays if one is not None], found.empties, found.unknown)


def _single(enqueued: Operation, claim: Operation | None, cancel: Operation | None) -> Stay | None:
    last = claim or cancel
    ec, er = enqueued.call + enqueued.delay, enqueued.end
    if er != NEVER:
        er += enqueued.delay
    if last is None:
        # A crashed enqueue that nobody saw again: that it did not happen is always the permissive assumption.
        return Stay(ec, er, NEVER, NEVER, False, enqueued, enqueued, None) if er != NEVER else None
    cc, cr = last.call, min(last.end, _AT_LAST)
    return Stay(ec, min(er, cr), max(cc, ec), cr, last is claim, enqueued, enqueued, last)


# --- tasks that come back -------------------------------------------------------------------------------------------


def _again(found: _Sorted, redelivery: Redelivery) -> Traffic | Judgement:
    chains = tenures_of([*found.claims, *found.others]).by_task
    missing = next((chain[0].claim for task, chain in chains.items() if task not in found.enqueued), None)
    if missing is not None:
        return broken(Rule.PHANTOM, f"task {missing.task!r}", missing)
    reclaims = _Reclaims(one for one in found.others if one.kind is Kind.RECLAIM and one.known)
    traffic = Traffic([], found.empties, found.unknown)
    for task, enqueued in found.enqueued.items():
        chain, cancel = chains.get(task, []), found.cancelled.get(task)
        stays = list(_chain(enqueued, chain, cancel, redelivery, reclaims))
        phantom = next((one for one in stays if one.exit and one.served and one.cr < one.ec), None)
        if phantom is not None and phantom.entry is enqueued:
            return broken(Rule.PHANTOM, f"task {task!r}", enqueued, phantom.exit)
        traffic.returned = traffic.returned or len(stays) > 1
        traffic.stays += stays
    return traffic


def _chain(
    enqueued: Operation,
    chain: Sequence[Tenure],
    cancel: Operation | None,
    redelivery: Redelivery,
    reclaims: _Reclaims,
) -> Iterable[Stay]:
    early, late, entry = enqueued.call + enqueued.delay, enqueued.end, enqueued
    slack = redelivery.precision if enqueued.delay else 0
    late = late if late == NEVER else late + enqueued.delay + slack
    vague = _vague(chain)
    for number, tenure in enumerate(chain):
        claim = tenure.claim
        left = min(claim.end, _AT_LAST)
        # A claim of what had not come back is for check_leases to judge; of the order it tells nothing.
        tells = number not in vague and (early <= left or number == 0)
        entered = min(late, left) if tells else left
        leaves = max(claim.call, early if tells else claim.call)
        yield Stay(min(early, leaves), entered, leaves, left, tells, enqueued, entry, claim)
        early, late, entry = _back(tenure, redelivery, reclaims)
        if number in vague:
            early, late = enqueued.call, NEVER
    if late == NEVER:
        return
    if cancel is None:
        yield Stay(early, late, NEVER, NEVER, False, enqueued, entry, None)
    else:
        gone = max(cancel.call, early)
        left = max(gone, min(cancel.end, _AT_LAST))
        yield Stay(early, min(late, left), gone, left, False, enqueued, entry, cancel)


def _vague(chain: Sequence[Tenure]) -> set[int]:
    """Return which claims of a task overlap, so that nobody knows which came first: they tell nothing of the order."""
    vague: set[int] = set()
    if all(tenure.claim.attempt is not None for tenure in chain):
        return vague
    latest, holder = -NEVER, -1
    for number, tenure in enumerate(chain):
        if tenure.claim.call <= latest:
            vague |= {*range(holder, number + 1)}
        if tenure.claim.end > latest:
            latest, holder = tenure.claim.end, number
    return vague


def _back(tenure: Tenure, redelivery: Redelivery, reclaims: _Reclaims) -> tuple[int, int, Operation]:
    """Return between which moments the task came back after a tenure, and the operation that brought it.

    The late moment is NEVER if it need not have come back: completed, failed for good, or nobody knows.
    """
    over = tenure.latest_end(redelivery.precision)
    failed = next((one for one in tenure.finishes if one.accepted and one.kind is Kind.FAIL), None)
    if failed is not None:
        return failed.call, failed.end + failed.delay + redelivery.precision, failed
    early = min([tenure.earliest_end(redelivery.precision), *(one.call for one in tenure.finishes if one.possible)])
    if not redelivery.requeues or any(one.possible for one in tenure.finishes):
        return early, NEVER, tenure.claim
    return early, over if redelivery.claims_reclaim else reclaims.after(over), tenure.claim


class _Reclaims:
    """When what is over was certainly taken back: by the first reclaim that began afterwards."""

    def __init__(self, reclaims: Iterable[Operation]) -> None:
        self._sorted = sorted(reclaims, key=lambda one: one.call)
        self._calls = [one.call for one in self._sorted]
        self._ends = [NEVER] * (len(self._sorted) + 1)
        for number in range(len(self._sorted) - 1, -1, -1):
            self._ends[number] = min(self._sorted[number].end, self._ends[number + 1])

    def after(self, moment: int) -> int:
        """Return the return of the earliest ending reclaim that began at ``moment`` or later."""
        return self._ends[bisect_left(self._calls, moment)]
