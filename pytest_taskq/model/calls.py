"""A program is a tuple of calls; a call names tasks and claims by number, so that shrinking keeps it meaningful."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pytest_taskq.contract import SchedulingStrategy

MINE = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enqueue:
    """Store a task."""

    type: str = "job"
    payload: Any = field(default_factory=dict)
    priority: int = 100
    delay: float = 0.0
    max_attempts: int = 5
    key: str | None = None
    compatibility: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnqueueMany:
    """Store several at once."""

    items: tuple[Enqueue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InsertRow:
    """A row that somebody wrote with plain SQL; ``columns`` are those given, the rest has the schema's defaults."""

    columns: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Cancel the task of that number."""

    task: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Get:
    """Look at the task of that number; -1 is an id that no task has."""

    task: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimNext:
    """Claim: any due task, or the first under ``strategy``, or up to ``n`` at once."""

    worker: str = "w1"
    lease: float = 10.0
    capabilities: Any = field(default_factory=dict)
    strategy: SchedulingStrategy | None = None
    n: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete:
    """Complete with what the claim of that number returned (from the newest); ``worker`` empty: who claimed it."""

    claim: int = 0
    worker: str = MINE


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail:
    """Fail with what that claim returned."""

    claim: int = 0
    worker: str = MINE
    error: str = "boom"
    retry: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Renew:
    """Renew what that claim returned."""

    claim: int = 0
    worker: str = MINE
    lease: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reclaim:
    """Take back what is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteFinished:
    """Clean up."""

    older_than: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """Let ``steps`` steps of the promised precision pass, or ``seconds``, whatever the precision."""

    steps: int = 1
    seconds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PassUntil:
    """Let time pass until ``what`` (the next lease end, due time or retention limit), and ``offset`` steps more."""

    what: Literal["lease", "due", "retention"] = "lease"
    offset: int = 0
    older_than: float = 0.0


Call = (
    Enqueue
    | EnqueueMany
    | InsertRow
    | Cancel
    | Get
    | ClaimNext
    | Complete
    | Fail
    | Renew
    | Reclaim
    | DeleteFinished
    | Stats
    | Pass
    | PassUntil
)
Program = tuple[Call, ...]

METHOD_OF: dict[type, str] = {
    Enqueue: "enqueue",
    EnqueueMany: "enqueue_many",
    Cancel: "cancel_task",
    Get: "get_task",
    Complete: "complete_task",
    Fail: "fail_task",
    Renew: "renew_lease",
    Reclaim: "reclaim_expired",
    DeleteFinished: "delete_finished",
    Stats: "queue_stats",
}


def method_of(call: Call) -> str | None:
    """Return the adapter method that a call needs, None for time passing and plain SQL."""
    if isinstance(call, ClaimNext):
        if call.n is not None:
            return "claim_many"
        return "claim_task" if call.strategy is None else "claim_by"
    return METHOD_OF.get(type(call))
