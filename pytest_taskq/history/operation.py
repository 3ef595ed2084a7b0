"""One call of a queue as it was seen from outside: who, what, from when to when, with what result."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_taskq.contract import TaskId

SECOND = 1_000_000_000
# Later than every stamp. An integer, so that stamps beyond 2**53 ns stay exact in comparisons and sums.
NEVER = 1 << 62


class Kind(StrEnum):
    """Which verb of the queue was called."""

    OPEN = "open"
    ENQUEUE = "enqueue"
    CLAIM = "claim"
    COMPLETE = "complete"
    FAIL = "fail"
    RENEW = "renew"
    CANCEL = "cancel"
    RECLAIM = "reclaim"
    DELETE = "delete"
    STATS = "stats"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One call. ``call`` and ``returned`` are monotonic nanoseconds read before and after it, outside the call.

    ``returned`` is None if the caller died first; ``error`` is what the call raised, empty if it returned. Of both
    nobody knows whether they took effect. ``task`` names the task, the same in every operation on it, whatever the
    queue calls it: in a CLAIM it is None if nothing was handed out. ``row`` is the queue's own id, if that is an order.
    ``priority`` and ``delay`` (not before ``call + delay``) belong to ENQUEUE, ``lease`` to CLAIM and RENEW, ``delay``
    also to FAIL (the longest backoff); lengths are nanoseconds. ``result`` is the bool of COMPLETE, FAIL, RENEW and
    CANCEL, the count of RECLAIM and DELETE, the counts of STATS by status.
    """

    kind: Kind
    call: int
    returned: int | None = None
    actor: str = ""
    task: TaskId | None = None
    attempt: int | None = None
    row: TaskId | None = None
    priority: int = 0
    delay: int = 0
    lease: int = 0
    key: str | None = None
    result: bool | int | Mapping[str, int] | None = None
    error: str = ""

    @property
    def crashed(self) -> bool:
        """Whether the caller died before the call returned."""
        return self.returned is None

    @property
    def known(self) -> bool:
        """Whether the outcome is known: the call returned, and raised nothing."""
        return self.returned is not None and not self.error

    @property
    def accepted(self) -> bool:
        """Whether it is known to have taken effect."""
        return self.result is True and self.known

    @property
    def possible(self) -> bool:
        """Whether it took effect or may have."""
        return self.result is True or not self.known

    @property
    def end(self) -> int:
        """The moment by which it was over; NEVER if nobody knows."""
        return NEVER if self.returned is None or self.error else self.returned

    def __str__(self) -> str:
        """Return one line a person can read."""
        until = "…" if self.returned is None else f"{self.returned / SECOND:.6f}"
        what = f"{self.actor or 'somebody'} {self.kind}"
        task = "" if self.task is None else f" {self.task!r}"
        outcome = f"  -> {self.outcome}" if self.outcome else ""
        return f"{self.call / SECOND:.6f} .. {until}  {what}{task}{outcome}"

    @property
    def outcome(self) -> str:
        """What came of it in a few words; empty where the task says it."""
        if self.returned is None:
            return "died before it returned"
        if self.error:
            return f"raised {self.error}"
        if self.kind is Kind.CLAIM and self.task is None:
            return "nothing"
        return "" if self.result is None else str(self.result)
