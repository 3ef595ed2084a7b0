"""Single calls in real time, in turns with bare transactions: every requirement that is judged by how long it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_taskq.conformance.instruments import judge_by
from pytest_taskq.contract import Instrument
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.instruments.timing import JUDGED, TimingJudge
from pytest_taskq.marks import each

if TYPE_CHECKING:
    from pytest_taskq.contract import Requirement
    from pytest_taskq.grading.record import Record
    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.subject import Bench


class TestTiming:
    """A call takes no longer than the contract says, on a machine that could tell."""

    @pytest.mark.parametrize("requirement", each(map(REQUIREMENTS.__getitem__, JUDGED), Instrument.TIMING))
    def test_single_calls_are_fast_enough(
        self, requirement: Requirement, taskq_bench: Bench, taskq_record: Record, taskq_budget: Budget
    ) -> None:
        judge_by(TimingJudge(taskq_record.time), requirement, taskq_bench, taskq_record, taskq_budget)
