"""Worker 03: what a claim records and refuses, by direct examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq.conformance.refusals import LEASE, WORKER, require_refused_by_name
from pytest_taskq.conformance.scope import has_shared_tables, own_ways_to_claim
from pytest_taskq.conformance.stored import differences, is_near, row_of
from pytest_taskq.marks import requirement

if TYPE_CHECKING:
    from pytest_taskq.grading.record import Record
    from pytest_taskq.subject import QueueUnderTest


class TestEngine:
    """Claims."""

    @requirement("CLM-04")
    def test_a_claim_records_holder_time_and_deadline(self, taskq_queue: QueueUnderTest) -> None:
        for way in own_ways_to_claim(taskq_queue.subject):
            task_id = taskq_queue.enqueue("job", {})
            task = way(taskq_queue, "w7", 30.0)
            taskq_queue.precondition(task is not None and task.id == task_id, f"{way} returning the one task there is")
            row, now, late = row_of(taskq_queue, task_id), taskq_queue.now(), taskq_queue.promises.time_precision
            facts = {
                "locked_by": row["locked_by"] == "w7",
                "attempts": row["attempts"] == 1,
                "reserved_at_utc": is_near(row["reserved_at_utc"], now),
                "lease_until_utc": is_near(
                    row["lease_until_utc"], now.fromtimestamp(now.timestamp() + 30, now.tzinfo), late=late
                ),
            }
            for column, holds in facts.items():
                expected = f"{column} after {way} at {now:%F %T} for 30 s tells the claim"
                taskq_queue.require(holds, expected, row[column], method=way.method)

    @requirement("CLM-04")
    def test_the_returned_task_is_the_stored_row(self, taskq_queue: QueueUnderTest) -> None:
        for way in own_ways_to_claim(taskq_queue.subject):
            task_id = taskq_queue.enqueue("mail", {"to": ["a"]}, priority=3, max_attempts=2)
            task = way(taskq_queue)
            taskq_queue.precondition(task is not None, f"{way} returning a task")
            if task is not None:
                found = list(differences(task, row_of(taskq_queue, task_id)))
                taskq_queue.require(not found, f"{way} returns the stored row", "; ".join(found), method=way.method)

    @requirement("CLM-08")
    def test_a_claim_without_worker_or_lease_is_refused_by_name_and_claims_nothing(
        self, taskq_queue: QueueUnderTest, taskq_record: Record
    ) -> None:
        if not has_shared_tables(taskq_queue.subject, taskq_record, "CLM-08"):
            return
        task_id, tried = taskq_queue.enqueue("job", {}), 0
        for way in own_ways_to_claim(taskq_queue.subject):
            for value in WORKER.values:
                outcome = way.attempt(taskq_queue, worker_id=value)
                require_refused_by_name(taskq_queue, outcome, WORKER, way.method)
            for value in LEASE.values:
                outcome = way.attempt(taskq_queue, lease_seconds=value)
                require_refused_by_name(taskq_queue, outcome, LEASE, way.method)
            status = row_of(taskq_queue, task_id)["status"]
            taskq_queue.require(status == "queued", "nothing is claimed: it is queued", status, method=way.method)
            tried += len(WORKER.values) + len(LEASE.values)
        taskq_record.explored(f"{tried} bad values")

    @requirement("LSE-05")
    def test_a_lease_of_one_second_lasts_one_second_wherever_it_starts(self, taskq_queue: QueueUnderTest) -> None:
        for within in (0.001, 0.5, 0.999):
            for way in own_ways_to_claim(taskq_queue.subject):
                taskq_queue.advance(1.0 - taskq_queue.now().microsecond / 1e6 + within)
                task_id = taskq_queue.enqueue("job", {})
                taskq_queue.precondition(way(taskq_queue, "w1", 1.0), f"{way} returning the task")
                taskq_queue.advance(0.999)
                taken = way(taskq_queue, "w2", 1.0)
                expected = f"nobody else gets task {task_id!r} within 1 s of a claim at {within} s past the second"
                taskq_queue.require(taken is None, expected, taken, method=way.method)
                taskq_queue.sql("DELETE FROM task_queue WHERE id = ?", (task_id,))
