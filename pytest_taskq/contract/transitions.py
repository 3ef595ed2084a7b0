"""The life of a task as one table: it drives the model, the oracle and the documentation."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_taskq.contract.task import FINAL, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One legal step: which call may move a task from ``source`` to ``target``; None stands for no row.

    ``when`` is the condition in words, as the contract's table has it.
    """

    source: Status | None
    call: str
    target: Status | None
    when: str = ""


QUEUED, LEASED, COMPLETED, FAILED, CANCELLED = Status

TRANSITIONS: tuple[Transition, ...] = (
    Transition(source=None, call="enqueue", target=QUEUED),
    Transition(source=QUEUED, call="claim", target=LEASED, when="due, and the worker is able"),
    Transition(source=QUEUED, call="cancel", target=CANCELLED),
    Transition(source=QUEUED, call="claim", target=FAILED, when="it cannot be served (CLM-11)"),
    Transition(source=LEASED, call="complete", target=COMPLETED, when="by the holder"),
    Transition(source=LEASED, call="renew", target=LEASED, when="by the holder"),
    Transition(source=LEASED, call="claim", target=LEASED, when="the lease is over, attempts left"),
    Transition(source=LEASED, call="claim", target=QUEUED, when="the lease is over, attempts left"),
    Transition(source=LEASED, call="claim", target=FAILED, when='the lease is over, none left or lease_over="fail"'),
    Transition(source=LEASED, call="reclaim", target=QUEUED, when="the lease is over, attempts left"),
    Transition(source=LEASED, call="reclaim", target=FAILED, when='the lease is over, none left or lease_over="fail"'),
    Transition(source=LEASED, call="fail", target=QUEUED, when="by the holder, attempts left, after the backoff"),
    Transition(source=LEASED, call="fail", target=FAILED, when="by the holder, none left or retry=False"),
    *(Transition(source=status, call="delete", target=None, when="finished long enough") for status in sorted(FINAL)),
)

# Which step of the table a method of the adapter may take.
CALL_OF_METHOD: dict[str, str] = {
    "enqueue": "enqueue",
    "enqueue_in": "enqueue",
    "enqueue_many": "enqueue",
    "cancel_task": "cancel",
    "claim_task": "claim",
    "claim_by": "claim",
    "claim_many": "claim",
    "complete_task": "complete",
    "fail_task": "fail",
    "renew_lease": "renew",
    "reclaim_expired": "reclaim",
    "delete_finished": "delete",
}

_LEGAL = frozenset((step.source, step.call, step.target) for step in TRANSITIONS)


def is_legal(source: Status | None, method: str, target: Status | None) -> bool:
    """Whether a call of ``method`` may ever move a task from ``source`` to ``target``."""
    return (source, CALL_OF_METHOD.get(method), target) in _LEGAL
