"""Real processes on one store: every requirement that is judged from what they were seen to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_taskq.conformance.instruments import judge_by
from pytest_taskq.contract import Instrument
from pytest_taskq.contract.requirements import by_instrument
from pytest_taskq.instruments.history import JUDGED, HistoryJudge, end_processes
from pytest_taskq.marks import each

if TYPE_CHECKING:
    from pytest_taskq.contract import Requirement
    from pytest_taskq.grading.record import Record
    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.subject import Bench


class TestHistory:
    """Whatever the processes did at the same time, some order of their calls keeps the rules."""

    @classmethod
    def teardown_class(cls) -> None:
        """End the processes that the checks share."""
        end_processes()

    @pytest.mark.parametrize(
        "requirement", each((one for one in by_instrument("h") if one.id in JUDGED), Instrument.HISTORY)
    )
    def test_processes_keep_it(
        self, requirement: Requirement, taskq_bench: Bench, taskq_record: Record, taskq_budget: Budget
    ) -> None:
        judge_by(HistoryJudge(), requirement, taskq_bench, taskq_record, taskq_budget)
