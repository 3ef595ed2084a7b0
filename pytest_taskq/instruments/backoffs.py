"""Statistics: no delay after a failure lies outside its window (FIN-05), however rarely chance would put it there."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from pytest_taskq.contract import Finding, Instrument, Verdict
from pytest_taskq.subject.violation import ContractViolation

if TYPE_CHECKING:
    from pytest_taskq.contract import Requirement, Task
    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.subject import Bench, QueueUnderTest, Subject

_FAILURES = 12  # of one task: with the default backoff the ninth delay is the longest
_MISSED = 1e-9
_SHOWN = 12  # calls before a violation
_PLENTY = 3600.0  # seconds of a lease


class BackoffJudge:
    """Judges FIN-05 by many delays, each looked at just before its window and at its end."""

    def supports(self, subject: Subject) -> str | None:
        """Return None: calls are all it needs."""
        del subject
        return None

    def judge(self, requirement: Requirement, bench: Bench, budget: Budget) -> Finding:
        """Return PASS with the share of wrong delays that would have been found; a wrong one is a ContractViolation."""
        delays = budget.delays
        try:
            with bench.queue() as queue:
                sampling = _Sampling(queue, Random(budget.seed_for(requirement.id)))  # noqa: S311 - not a secret
                for _ in range(delays):
                    sampling.delay()
        except ContractViolation as error:
            last = error.calls[-_SHOWN:]
            raise ContractViolation(error.expected, error.seen, calls=last, method=error.method) from error
        share = 1 - _MISSED ** (1 / delays)
        explored = f"{delays} delays after failures; a share of {share:.1%} outside would show but for once in 1e9 runs"
        return Finding.of(requirement, Instrument.STATISTICS, Verdict.PASS, explored=explored)


@dataclass
class _Sampling:
    """One task at a time that fails until its attempts are used up."""

    queue: QueueUnderTest
    chance: Random
    task: Task | None = None
    failures: int = 0

    def delay(self) -> None:
        """Let the task fail once more, and look when it comes back."""
        if self.task is None or self.failures == self._most:
            self._begin()
        queue, task = self.queue, self.task
        queue.advance(self.chance.randrange(1000) / 1000)
        self.failures += 1
        failed_at = queue.clock.milliseconds
        accepted = queue.call("fail_task", task, "w1", "boom")
        queue.require(accepted, "True: the worker holds the task", accepted, method="fail_task")
        shortest, longest = queue.promises.backoff.window(self.failures)
        self._not_before(failed_at + int(shortest * 1000), f"{shortest:g} s after failure {self.failures}")
        self._at(failed_at + longest * 1000, f"{longest:g} s after failure {self.failures}")

    @property
    def _most(self) -> int:
        return _FAILURES if self.queue.subject.offers("enqueue.max_attempts") else 4  # of the 5 attempts by default

    def _begin(self) -> None:
        queue = self.queue
        if self.task is not None:
            queue.precondition(self._finished(self.task), "the end of the task before")
        options = {"max_attempts": _FAILURES + 1} if queue.subject.offers("enqueue.max_attempts") else {}
        queue.enqueue(**options)  # type: ignore[arg-type]  # an argument of enqueue
        self.task, self.failures = queue.claim_task(lease_seconds=_PLENTY), 0
        queue.precondition(self.task is not None, "a claim of the one task that is due")

    def _finished(self, task: Task) -> bool:
        if self.queue.subject.offers("complete_task"):
            return self.queue.complete_task(task)
        return bool(self.queue.call("fail_task", task, "w1", "boom"))  # its last attempt

    def _not_before(self, moment: int, what: str) -> None:
        """Require that nothing can be claimed a millisecond before ``moment``."""
        if moment - 1 <= self.queue.clock.milliseconds:
            return
        self._wait_until(moment - 1)
        early = self.queue.claim_task(lease_seconds=_PLENTY)
        self.queue.require(early is None, f"None until {what}", early, method="fail_task")

    def _at(self, moment: float, what: str) -> None:
        """Require that the task is claimed at ``moment``, rounded up to the precision."""
        grain = self.queue.promises.time_precision * 1000
        self._wait_until(round(-(-moment // grain) * grain))
        self.task = self.queue.claim_task(lease_seconds=_PLENTY)
        self.queue.require(self.task is not None, f"the task again, at the latest {what}", None, method="fail_task")

    def _wait_until(self, moment: int) -> None:
        self.queue.advance(max(0, moment - self.queue.clock.milliseconds) / 1000)
