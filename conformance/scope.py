"""What of the code under test a check can reach: the shared tables, and the ways of claiming that are the team's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_taskq.contract import Finding, Instrument, SchedulingStrategy, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_taskq.contract import Task
    from pytest_taskq.grading.record import Record
    from pytest_taskq.subject import Outcome, QueueUnderTest, Subject


def not_offered(record: Record, requirement: str, reason: str) -> None:
    """Say that the code under test has nothing that this check could judge; the check returns then."""
    finding = Finding(
        requirement=requirement,
        instrument=Instrument.DIRECT_EXAMPLE,
        verdict=Verdict.NOT_OFFERED,
        reason=reason,
    )
    record.add(finding)


def has_shared_tables(subject: Subject, record: Record, requirement: str) -> bool:
    """Whether plain SQL reaches the tasks; if not, that is what ``record`` says of the requirement."""
    if not subject.shared_schema:
        not_offered(record, requirement, "shared tables: this queue has a storage of its own")
    return subject.shared_schema


@dataclass(frozen=True, slots=True)
class WayToClaim:
    """``claim_task``, or ``claim_by`` under one strategy."""

    method: str
    strategy: SchedulingStrategy | None = None

    def __str__(self) -> str:
        return self.method if self.strategy is None else f"{self.method}({self.strategy.name})"

    def attempt(self, queue: QueueUnderTest, worker_id: object = "w1", lease_seconds: object = 60.0) -> Outcome:
        """Claim; return the task, None or the exception."""
        chosen = () if self.strategy is None else (self.strategy,)
        return queue.attempt(self.method, *chosen, worker_id, {}, lease_seconds)

    def __call__(self, queue: QueueUnderTest, worker_id: str = "w1", lease_seconds: float = 60.0) -> Task | None:
        """Claim; an exception is a violation."""
        if self.strategy is None:
            return queue.claim_task(worker_id, lease_seconds=lease_seconds)
        return queue.claim_by(self.strategy, worker_id, lease_seconds=lease_seconds)


def own_ways_to_claim(subject: Subject) -> Sequence[WayToClaim]:
    """Return the ways of claiming that are graded: the team's own and promised ones."""
    strategies = sorted(subject.promises.strategies)
    ways = [WayToClaim("claim_task"), *(WayToClaim("claim_by", strategy) for strategy in strategies)]
    return [way for way in ways if way.method in subject.own and subject.offers(way.method)]
