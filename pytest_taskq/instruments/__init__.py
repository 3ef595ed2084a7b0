"""The instruments: each judges one requirement of one subject on a bench, within a budget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pytest_taskq.contract import Finding, Requirement
    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.subject import Bench, Subject


class Judge(Protocol):
    """What every instrument is."""

    def supports(self, subject: Subject) -> str | None:
        """Return why this subject cannot be judged by it, None if it can."""
        ...

    def judge(self, requirement: Requirement, bench: Bench, budget: Budget) -> Finding:
        """Return what it finds; called inside ``bench.run``."""
        ...
