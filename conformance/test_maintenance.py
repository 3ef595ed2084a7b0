"""Worker 06: what cleanup leaves behind, by direct examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq.conformance.stored import insert
from pytest_taskq.marks import requirement

if TYPE_CHECKING:
    from pytest_taskq.subject import QueueUnderTest


class TestMaintenance:
    """Cleanup."""

    @requirement("MNT-07")
    def test_log_rows_go_with_their_task_or_stay_valid(self, taskq_queue: QueueUnderTest) -> None:
        status = taskq_queue.promises.deletes[0]
        task_id = insert(taskq_queue, status=status, finished_at_utc="2030-01-01 00:00:00")
        taskq_queue.sql("INSERT INTO task_logs (task_id, message) VALUES (?, 'done')", (task_id,))
        deleted = taskq_queue.delete_finished(60.0)
        taskq_queue.require(deleted == 1, "the task goes although it has a log", deleted, method="delete_finished")
        dangling = taskq_queue.sql(
            "SELECT 1 FROM task_logs WHERE task_id IS NOT NULL AND task_id NOT IN (SELECT id FROM task_queue)"
        )
        taskq_queue.require(not dangling, "no log refers to a task that is gone", f"{len(dangling)} logs do")
