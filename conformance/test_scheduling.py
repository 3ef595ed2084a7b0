"""Worker 04: what is refused, by direct examples; the order itself is the model's business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq.conformance.stored import row_of
from pytest_taskq.marks import requirement

if TYPE_CHECKING:
    from pytest_taskq.subject import QueueUnderTest


class TestScheduling:
    """Strategies."""

    @requirement("SCH-07")
    def test_an_unknown_strategy_is_refused_and_the_known_ones_are_named(self, taskq_queue: QueueUnderTest) -> None:
        stored = taskq_queue.enqueue() if taskq_queue.subject.offers("enqueue") else None
        for unknown in ("no_such_strategy", "", None):
            outcome = taskq_queue.attempt("claim_by", unknown, "w1", {}, 10.0)
            kinds = (ValueError, TypeError) if unknown is None else (ValueError,)  # None is no name at all
            words = " or ".join(kind.__name__ for kind in kinds)
            taskq_queue.require(
                isinstance(outcome.error, kinds), f"{outcome.call} raises {words}", str(outcome), method="claim_by"
            )
            text = str(outcome.error).lower()
            missing = [one.value for one in sorted(taskq_queue.promises.strategies) if one.value not in text]
            expected = f"the message of {outcome.call} names {', '.join(missing)}"
            taskq_queue.require(not missing, expected, str(outcome.error), method="claim_by")
        if stored is not None and taskq_queue.subject.shared_schema:
            status = row_of(taskq_queue, stored)["status"]
            taskq_queue.require(status == "queued", "nothing is claimed: it is queued", status, method="claim_by")
