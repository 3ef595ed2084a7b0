"""Code and specification side by side: every requirement that is judged by the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_taskq.conformance.instruments import judge_by
from pytest_taskq.contract import Instrument
from pytest_taskq.contract.requirements import by_instrument
from pytest_taskq.instruments.model import ModelJudge
from pytest_taskq.marks import each

if TYPE_CHECKING:
    from pytest_taskq.contract import Requirement
    from pytest_taskq.grading.record import Record
    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.subject import Bench


class TestModel:
    """Whatever calls are made, in virtual time, results and rows are among those that the specification allows."""

    @pytest.mark.parametrize("requirement", each(by_instrument("m"), Instrument.MODEL))
    def test_code_and_specification_agree(
        self, requirement: Requirement, taskq_bench: Bench, taskq_record: Record, taskq_budget: Budget
    ) -> None:
        judge_by(ModelJudge(), requirement, taskq_bench, taskq_record, taskq_budget)
