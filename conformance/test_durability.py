"""Storage or connections that fail in the middle of a call, and power that fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_taskq.conformance.instruments import judge_by
from pytest_taskq.contract import Instrument
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.instruments.means import means_of
from pytest_taskq.marks import each

if TYPE_CHECKING:
    from pytest_taskq.contract import Requirement
    from pytest_taskq.grading.record import Record
    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.subject import Bench


class TestDurability:
    """Whatever the storage does, an error is told, nothing acknowledged is lost, and the queue works again after it."""

    @pytest.mark.parametrize("requirement", each([REQUIREMENTS["DUR-02"]], Instrument.CRASH_POINTS))
    def test_a_fault_of_the_storage_is_told_and_leaves_no_mark(
        self, requirement: Requirement, taskq_bench: Bench, taskq_record: Record, taskq_budget: Budget
    ) -> None:
        judge_by(means_of(taskq_bench).storage_faults, requirement, taskq_bench, taskq_record, taskq_budget)

    @pytest.mark.parametrize("requirement", each([REQUIREMENTS["DUR-01"]], Instrument.CRASH_POINTS))
    def test_what_was_acknowledged_survives_a_power_cut(
        self, requirement: Requirement, taskq_bench: Bench, taskq_record: Record, taskq_budget: Budget
    ) -> None:
        judge_by(means_of(taskq_bench).power_cuts, requirement, taskq_bench, taskq_record, taskq_budget)
