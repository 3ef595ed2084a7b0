"""Worker 06: what cleanup leaves behind, by direct examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq.conformance.commits import transactions_of
from pytest_taskq.conformance.stored import insert
from pytest_taskq.marks import requirement
from pytest_taskq.subject.backlog import fill

if TYPE_CHECKING:
    from pytest_taskq.grading.record import Record
    from pytest_taskq.subject import QueueUnderTest

_BACKLOG = 2_500
_MOST = 1_000


class TestMaintenance:
    """Cleanup."""

    @requirement("MNT-03")
    def test_no_transaction_takes_more_than_a_thousand_rows(
        self, taskq_queue: QueueUnderTest, taskq_record: Record
    ) -> None:
        left = "SELECT count(*) FROM task_queue"
        for status in taskq_queue.promises.deletes:
            fill(taskq_queue, status, _BACKLOG)
        taskq_queue.advance(3600.0)
        with transactions_of(taskq_queue) as transactions:
            outcome = taskq_queue.attempt("delete_finished", 60.0)
        # The reader that keeps the log is in the way of whoever wants the file alone: such an error says nothing.
        taskq_queue.precondition(outcome.error is None, f"the cleanup ({outcome})")
        taskq_queue.precondition(taskq_queue.sql(left)[0][0] == 0, "the deletion of all that is old enough")
        number, loss = transactions.number, transactions.largest_loss(_MOST)
        if loss is not None:
            which = f"transaction {loss[0]} of the {number} that the call committed took {loss[1]}"
            taskq_queue.require(
                False, f"at most {_MOST} rows leave in one transaction", which, method="delete_finished"
            )
        taskq_record.explored(
            f"{number} transactions, none with more than {_MOST} of {_BACKLOG * len(taskq_queue.promises.deletes)} rows"
        )

    @requirement("MNT-07")
    def test_log_rows_go_with_their_task_or_stay_valid(self, taskq_queue: QueueUnderTest) -> None:
        for status in taskq_queue.promises.deletes:
            task_id = insert(taskq_queue, status=status, finished_at_utc="2030-01-01 00:00:00")
            for message in ("began", "done"):
                taskq_queue.sql("INSERT INTO task_logs (task_id, message) VALUES (?, ?)", (task_id, message))
        deleted = taskq_queue.delete_finished(60.0)
        expected = len(taskq_queue.promises.deletes)
        left = taskq_queue.sql("SELECT count(*) FROM task_queue")[0][0]
        taskq_queue.require(
            not left, "a finished task goes although it has logs", f"{left} are still there", method="delete_finished"
        )
        taskq_queue.require(
            deleted == expected, f"{expected} deleted, logs not counted", deleted, method="delete_finished"
        )
        dangling = taskq_queue.sql(
            "SELECT 1 FROM task_logs WHERE task_id IS NOT NULL AND task_id NOT IN (SELECT id FROM task_queue)"
        )
        taskq_queue.require(
            not dangling, "no log refers to a task that is gone", f"{len(dangling)} logs do", method="delete_finished"
        )
