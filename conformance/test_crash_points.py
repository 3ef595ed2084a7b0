"""The process dies at each statement boundary: the requirements that are judged by crash points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_taskq.conformance.instruments import judge_by
from pytest_taskq.contract import Instrument
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.instruments.crash_points import JUDGED, CrashPointsJudge
from pytest_taskq.marks import each

if TYPE_CHECKING:
    from pytest_taskq.contract import Requirement
    from pytest_taskq.grading.record import Record
    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.subject import Bench


class TestCrashPoints:
    """Wherever the process dies, nothing acknowledged is lost, nothing is half done, everything is claimable again."""

    @pytest.mark.parametrize("requirement", each(map(REQUIREMENTS.__getitem__, JUDGED), Instrument.CRASH_POINTS))
    def test_what_a_dead_process_leaves_is_whole(
        self, requirement: Requirement, taskq_bench: Bench, taskq_record: Record, taskq_budget: Budget
    ) -> None:
        judge_by(CrashPointsJudge(), requirement, taskq_bench, taskq_record, taskq_budget)
