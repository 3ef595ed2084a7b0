"""Steps of SQLite's virtual machine: every requirement that is judged by the cost of a query."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_taskq.conformance.instruments import judge_by
from pytest_taskq.contract import Instrument
from pytest_taskq.contract.requirements import by_instrument
from pytest_taskq.instruments.query_cost import QueryCostJudge
from pytest_taskq.marks import each

if TYPE_CHECKING:
    from pytest_taskq.contract import Requirement
    from pytest_taskq.grading.record import Record
    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.subject import Bench


class TestQueryCost:
    """The work of a hot call does not grow with rows that do not concern it."""

    @pytest.mark.parametrize("requirement", each(by_instrument("p"), Instrument.QUERY_COST))
    def test_work_does_not_grow_with_what_does_not_concern_it(
        self, requirement: Requirement, taskq_bench: Bench, taskq_record: Record, taskq_budget: Budget
    ) -> None:
        judge_by(QueryCostJudge(), requirement, taskq_bench, taskq_record, taskq_budget)
