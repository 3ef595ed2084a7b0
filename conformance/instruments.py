"""How a test of the suite has an instrument judge its requirement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_taskq.contract import Requirement
    from pytest_taskq.grading.record import Record
    from pytest_taskq.instruments import Judge
    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.subject import Bench


def judge_by(judge: Judge, requirement: Requirement, bench: Bench, record: Record, budget: Budget) -> None:
    """Add to ``record`` what ``judge`` finds; where it does not support the subject, skip with its reason."""
    unsupported = judge.supports(bench.subject)
    if unsupported:
        pytest.skip(unsupported)
    record.add(judge.judge(requirement, bench, budget))
