"""Four workers at once, and a dashboard beside writers: what they finish, and what it costs the writers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq.conformance.instruments import judge_by
from pytest_taskq.contract import Instrument
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.instruments.history import end_processes
from pytest_taskq.instruments.load import LoadJudge
from pytest_taskq.instruments.watched_writers import WatchedWritersJudge
from pytest_taskq.marks import requirement

if TYPE_CHECKING:
    from pytest_taskq.grading.record import Record
    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.subject import Bench


class TestLoad:
    """Measured with nothing beside it, and judged against what the same machine can do in the same minute."""

    @classmethod
    def teardown_class(cls) -> None:
        """End the processes that the checks share."""
        end_processes()

    @requirement("LAT-05", Instrument.TIMING)
    def test_four_workers_finish_enough(self, taskq_bench: Bench, taskq_record: Record, taskq_budget: Budget) -> None:
        judge_by(LoadJudge(), REQUIREMENTS["LAT-05"], taskq_bench, taskq_record, taskq_budget)

    @requirement("OBS-04", Instrument.TIMING)
    def test_writers_keep_their_latency(self, taskq_bench: Bench, taskq_record: Record, taskq_budget: Budget) -> None:
        judge_by(WatchedWritersJudge(), REQUIREMENTS["OBS-04"], taskq_bench, taskq_record, taskq_budget)
