"""Worker 04: what is refused, by direct examples; the order itself is the model's business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq.conformance.refusals import require_refused
from pytest_taskq.marks import requirement

if TYPE_CHECKING:
    from pytest_taskq.subject import QueueUnderTest


class TestScheduling:
    """Strategies."""

    @requirement("SCH-07")
    def test_an_unknown_strategy_is_refused_and_the_known_ones_are_named(self, taskq_queue: QueueUnderTest) -> None:
        outcome = taskq_queue.attempt("claim_by", "no_such_strategy", "w1", {}, 10.0)
        require_refused(taskq_queue, outcome, "claim_by")
        text = str(outcome.error).lower()
        missing = [one.value for one in sorted(taskq_queue.promises.strategies) if one.value not in text]
        taskq_queue.require(
            not missing, f"the message names {', '.join(missing)}", str(outcome.error), method="claim_by"
        )
