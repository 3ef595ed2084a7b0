"""Load: what four workers finish in a minute, beside what the reference does on the same machine (LAT-05)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq.contract import Finding, Instrument, Requirement, Verdict
from pytest_taskq.instruments.history import HistoryJudge, fresh_stage
from pytest_taskq.instruments.history_evidence import Unshared, is_lock_error
from pytest_taskq.instruments.history_load import shares_text
from pytest_taskq.latency.load import ROOM, TARGET, shares
from pytest_taskq.recording.load import throughput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.latency.load import Throughput
    from pytest_taskq.subject import Bench, Subject

_LEAST = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS)


class LoadJudge:
    """Judges how much is finished; never what a call returned, which is other requirements' business."""

    def supports(self, subject: Subject) -> str | None:
        """Return why another process cannot make the adapter, None if it can."""
        return HistoryJudge().supports(subject)

    def judge(self, requirement: Requirement, bench: Bench, budget: Budget) -> Finding:
        """Return PASS, FAIL or INCONCLUSIVE with the tasks a minute and those of the reference."""
        if budget.beside:
            return not_alone(requirement, budget)
        try:
            with fresh_stage(bench, budget) as stage:
                runs = [_Run(think, found, mill.operations) for think, found, mill in throughput(stage)]
        except Unshared as found:
            return Finding.of(requirement, Instrument.TIMING, Verdict.UNSUPPORTED, reason=str(found))
        worst = min(runs, key=lambda run: _LEAST.index(run.found.verdict))
        verdict = worst.found.verdict
        return Finding.of(
            requirement,
            Instrument.TIMING,
            verdict,
            explored="; ".join(map(str, runs)) if verdict is Verdict.PASS else "",
            reason="" if verdict is Verdict.PASS else worst.reason,
            evidence="\n".join(map(str, runs)) if verdict is Verdict.FAIL else "",
            details={"load": {**worst.as_details(), "runs": [run.as_details() for run in runs]}},
        )


def not_alone(requirement: Requirement, budget: Budget) -> Finding:
    """Return that nothing is measured beside other tests, with the command that measures it."""
    reason = f"not measured beside other tests; this measures it: {budget.beside}"
    return Finding.of(requirement, Instrument.TIMING, Verdict.INCONCLUSIVE, reason=reason)


class _Run:
    """What came of one length of work on a task."""

    def __init__(self, think: float, found: Throughput, operations: Sequence[Any]) -> None:
        self.think = think
        self.found = found
        self.errors = sum(map(is_lock_error, operations))

    @property
    def reason(self) -> str:
        """Why it is no PASS."""
        found = self.found
        if found.verdict is Verdict.FAIL:
            return f"expected {TARGET:g} tasks a minute from 4 workers or more; seen {found.per_minute:.3g} ({self})"
        if len(found.judged) < len(found.pairs):
            return (
                f"the machine is too slow: beside {len(found.pairs) - len(found.judged)} of {len(found.pairs)} blocks "
                f"the reference finished less than {ROOM:g} times {TARGET:g} tasks a minute ({self})"
            )
        return f"too near to {TARGET:g} tasks a minute to say in {found.seconds:.0f} s ({self})"

    def __str__(self) -> str:
        found = self.found
        work = f" with {self.think * 1000:g} ms of work on each" if self.think else ""
        errors = f", {self.errors} lock errors" if self.errors else ""
        return (
            f"{found.finished} tasks in {found.seconds:.1f} s{work}, {found.per_minute:,.0f} a minute (target "
            f"{TARGET:g}); the reference {found.reference_per_minute:,.0f} in turns with it, "
            f"{found.per_minute / max(found.reference_per_minute, 1e-9):.2f} of that; "
            f"{shares_text(found.claims)}{errors}"
        )

    def as_details(self) -> dict[str, Any]:
        """Return the figures for JSON."""
        found = self.found
        return {
            "workers": len(found.claims),
            "seconds": found.seconds,
            "finished": found.finished,
            "per_minute": found.per_minute,
            "target": TARGET,
            "reference_per_minute": found.reference_per_minute,
            "shares": shares(found.claims),
            "lock_errors": self.errors,
            "think": self.think,
            "verdict": found.verdict.value,
        }
