"""Chance, held against its law: draws by weight with a false alarm of 1e-9, delays after failures with none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_taskq.conformance.instruments import judge_by
from pytest_taskq.contract import Instrument
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.instruments.backoffs import BackoffJudge
from pytest_taskq.instruments.weights import WeightJudge
from pytest_taskq.marks import each

if TYPE_CHECKING:
    from pytest_taskq.contract import Requirement
    from pytest_taskq.grading.record import Record
    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.subject import Bench

_JUDGED = [REQUIREMENTS["SCH-04"], REQUIREMENTS["SCH-05"]]


class TestWeights:
    """A random strategy has the chances that its weights give, whatever became of a task before."""

    @pytest.mark.parametrize("requirement", each(_JUDGED, Instrument.STATISTICS))
    def test_a_draw_has_the_chances_that_weights_give(
        self, requirement: Requirement, taskq_bench: Bench, taskq_record: Record, taskq_budget: Budget
    ) -> None:
        judge_by(WeightJudge(), requirement, taskq_bench, taskq_record, taskq_budget)

    @pytest.mark.parametrize("requirement", each([REQUIREMENTS["FIN-05"]], Instrument.STATISTICS))
    def test_no_delay_after_a_failure_lies_outside_its_window(
        self, requirement: Requirement, taskq_bench: Bench, taskq_record: Record, taskq_budget: Budget
    ) -> None:
        judge_by(BackoffJudge(), requirement, taskq_bench, taskq_record, taskq_budget)
