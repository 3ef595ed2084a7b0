"""What is timed: each graded method as a call, the arguments made before, and the change of a row that it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_taskq.contract import SchedulingStrategy
from pytest_taskq.subject.violation import NotJudgedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_taskq.contract import Requirement
    from pytest_taskq.instruments.timing_floor import Change
    from pytest_taskq.subject import QueueUnderTest, Subject

WORKER, LEASE = "w1", 60.0
_CLAIM: tuple[str, dict[str, Any], float] = (WORKER, {}, LEASE)
Arguments = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class TimedCall:
    """One way to make a call: its name in reports, its method, what it changes, and the arguments for so many."""

    name: str
    method: str
    change: Change
    arguments: Callable[[QueueUnderTest, int], Sequence[Arguments]]

    def prove(self, results: Sequence[Any]) -> None:
        """Return if each call did what it is timed for. Raises NotJudgedError: doing nothing is fast."""
        idle = {"update": (None, False), "insert": (None,), "count": (None,)}[self.change]
        missed = sum(any(result is one for one in idle) for result in results)
        if missed:
            raise NotJudgedError(f"{missed} of {len(results)} calls of {self.name} did nothing: {results[0]!r:.100}")


def _always(*arguments: Any) -> Callable[[QueueUnderTest, int], Sequence[Arguments]]:  # noqa: ANN401 - any method's
    return lambda _queue, count: [arguments] * count


def _held(*arguments: Any) -> Callable[[QueueUnderTest, int], Sequence[Arguments]]:  # noqa: ANN401 - any method's
    """Return arguments that begin with a task that the worker holds, another one each time."""
    return lambda queue, count: [(task, WORKER, *arguments) for task in claimed(queue, count)]


def claimed(queue: QueueUnderTest, count: int) -> list[Any]:
    """Return so many tasks, just claimed. Raises NotJudgedError where there are fewer."""
    tasks = [queue.bare("claim_task")(*_CLAIM) for _ in range(count)]
    if None in tasks:
        raise NotJudgedError("claim_task found nothing to claim while the backlog was there")
    return tasks


def _claims(subject: Subject) -> list[TimedCall]:
    return [
        TimedCall("claim_task", "claim_task", "update", _always(*_CLAIM)),
        *(
            TimedCall(f"claim_by({one.name})", "claim_by", "update", _always(one, *_CLAIM))
            for one in SchedulingStrategy
            if one in subject.promises.strategies
        ),
    ]


_BY_METHOD: Mapping[str, TimedCall] = {
    call.method: call
    for call in (
        TimedCall("enqueue", "enqueue", "insert", _always("job", {})),
        TimedCall("complete_task", "complete_task", "update", _held()),
        TimedCall("fail_task", "fail_task", "update", _held("boom")),
        TimedCall("renew_lease", "renew_lease", "update", _held(LEASE)),
        TimedCall("queue_stats", "queue_stats", "count", _always()),
    )
}


def calls_of(requirement: Requirement, subject: Subject) -> list[TimedCall]:
    """Return the calls of the team's own methods that the requirement is about."""
    every = [*_claims(subject), *_BY_METHOD.values()]
    return [
        call
        for call in every
        if call.method in requirement.grades and call.method in subject.own and subject.offers(call.method)
    ]
