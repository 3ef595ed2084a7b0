"""Who held which task, and between which moments its lease ran out."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_taskq.history.operation import NEVER, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_taskq.contract import TaskId
    from pytest_taskq.history.operation import Operation

_FINISHES = (Kind.COMPLETE, Kind.FAIL)
_HOLDERS = (*_FINISHES, Kind.RENEW)


@dataclass(slots=True)
class Tenure:
    """One claim of a task with what its holder did afterwards, in the order of the calls."""

    claim: Operation
    renewals: list[Operation] = field(default_factory=list)
    finishes: list[Operation] = field(default_factory=list)

    def earliest_end(self, precision: int = 0, *, by: int = NEVER) -> int:
        """Return a moment before which the lease was certainly not over; NEVER without a lease.

        Only the renewals that began at ``by`` or earlier are looked at.
        """
        if not self.claim.lease:
            return NEVER
        return min(one.call + one.lease for one in self._last_word(by)) - precision

    def latest_end(self, precision: int = 0) -> int:
        """Return a moment from which the lease was certainly over; NEVER if there is none."""
        if not self.claim.lease:
            return NEVER
        return max(NEVER if one.end == NEVER else one.end + one.lease for one in self._last_word(NEVER)) + precision

    def _last_word(self, by: int) -> Iterator[Operation]:
        """Yield the operations that may have set the deadline last: no accepted renewal began after their end.

        A renewal of unknown outcome may have the last word too, and takes it from nobody.
        """
        certain = max((one.call for one in self.renewals if one.accepted and one.call <= by), default=-NEVER)
        for one in (self.claim, *(one for one in self.renewals if one.possible and one.call <= by)):
            if one.end >= certain:
                yield one

    def released_by(self, moment: int) -> bool:
        """Whether the holder may have finished or given back the task by ``moment``."""
        return any(one.possible and one.call <= moment for one in self.finishes)


@dataclass(slots=True)
class Tenures:
    """All tenures by task, in the order of the claims; ``strangers`` are calls about a task by who never claimed it."""

    by_task: dict[TaskId, list[Tenure]]
    strangers: list[Operation]

    def __iter__(self) -> Iterator[list[Tenure]]:
        return iter(self.by_task.values())


def tenures_of(operations: Iterable[Operation]) -> Tenures:
    """Return who held what. A holder's call belongs to its latest claim of the task, or of that attempt if it is given.

    Claims come in the order of their attempts where both name one, and in that of their calls otherwise.
    """
    by_task: dict[TaskId, list[Tenure]] = defaultdict(list)
    strangers: list[Operation] = []
    kept = [one for one in operations if one.kind is Kind.CLAIM or one.kind in _HOLDERS]
    for one in sorted(kept, key=lambda each: each.call):
        if one.task is None:
            continue
        if one.kind is Kind.CLAIM:
            by_task[one.task].append(Tenure(one))
        else:
            _assign(one, by_task[one.task], strangers)
    for chain in by_task.values():
        if all(tenure.claim.attempt is not None for tenure in chain):
            chain.sort(key=lambda tenure: tenure.claim.attempt or 0)
    return Tenures({task: chain for task, chain in by_task.items() if chain}, strangers)


def _assign(one: Operation, chain: list[Tenure], strangers: list[Operation]) -> None:
    for tenure in reversed(chain):
        same = one.attempt is None or tenure.claim.attempt is None or one.attempt == tenure.claim.attempt
        if same and tenure.claim.actor == one.actor:
            (tenure.renewals if one.kind is Kind.RENEW else tenure.finishes).append(one)
            return
    strangers.append(one)
