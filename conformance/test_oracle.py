"""Triggers record every change of a row: every requirement that is judged by the oracle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_taskq.conformance.instruments import judge_by
from pytest_taskq.contract import Instrument
from pytest_taskq.contract.requirements import by_instrument
from pytest_taskq.instruments.oracle import OracleJudge
from pytest_taskq.marks import each

if TYPE_CHECKING:
    from pytest_taskq.contract import Requirement
    from pytest_taskq.grading.record import Record
    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.subject import Bench


class TestOracle:
    """Whatever the adapter says of itself, the rows change as the contract's table allows."""

    @pytest.mark.parametrize("requirement", each(by_instrument("o"), Instrument.ORACLE))
    def test_rows_change_only_as_allowed(
        self, requirement: Requirement, taskq_bench: Bench, taskq_record: Record, taskq_budget: Budget
    ) -> None:
        judge_by(OracleJudge(), requirement, taskq_bench, taskq_record, taskq_budget)
