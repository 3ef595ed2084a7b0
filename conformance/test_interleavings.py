"""Workers that run at the same time: every requirement that is judged by schedules of their statements."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_taskq.conformance.instruments import judge_by
from pytest_taskq.contract import Instrument
from pytest_taskq.contract.requirements import by_instrument
from pytest_taskq.instruments.interleavings import InterleavingsJudge
from pytest_taskq.marks import each

if TYPE_CHECKING:
    from pytest_taskq.contract import Requirement
    from pytest_taskq.grading.record import Record
    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.subject import Bench


class TestInterleavings:
    """Whichever worker runs its next statement when, the requirement holds."""

    @pytest.mark.parametrize("requirement", each(by_instrument("i"), Instrument.INTERLEAVINGS))
    def test_no_schedule_breaks_it(
        self, requirement: Requirement, taskq_bench: Bench, taskq_record: Record, taskq_budget: Budget
    ) -> None:
        judge_by(InterleavingsJudge(), requirement, taskq_bench, taskq_record, taskq_budget)
