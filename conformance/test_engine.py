"""Worker 03: what a claim records, refuses and gets past, by direct examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq.conformance.bad_rows import BAD_ROWS, insert_bad, require_served_past
from pytest_taskq.conformance.batch_order import STORES, batches, fits, is_drawn, known_orders
from pytest_taskq.conformance.refusals import LEASE, WORKER, require_refused_by_name
from pytest_taskq.conformance.scope import not_offered, own_ways_to_claim
from pytest_taskq.conformance.stored import differences, is_near, row_of
from pytest_taskq.marks import requirement
from pytest_taskq.subject.violation import ContractViolation, NotJudgedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_taskq.conformance.bad_rows import BadRow
    from pytest_taskq.conformance.scope import WayToClaim
    from pytest_taskq.contract import TaskId
    from pytest_taskq.grading.record import Record
    from pytest_taskq.subject import Bench, QueueUnderTest


_WITHIN_A_SECOND = (0.001, 0.5, 0.999)


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
        bad = [
            one for one, feature in ((WORKER, "worker_id"), (LEASE, "leases")) if taskq_queue.subject.offers(feature)
        ]
        if not bad:
            not_offered(taskq_record, "CLM-08", "worker_id and leases: a claim takes neither")
            return
        ways = own_ways_to_claim(taskq_queue.subject)
        for way in ways:
            task_id = taskq_queue.enqueue("job", {})
            for refused in bad:
                for value in refused.values:
                    outcome = way.attempt(taskq_queue, **{refused.argument: value})
                    require_refused_by_name(taskq_queue, outcome, refused, way.method)
            self.require_nothing_claimed(taskq_queue, way, task_id)
        taskq_record.explored(f"{len(ways) * sum(len(one.values) for one in bad)} bad values")

    def require_nothing_claimed(self, queue: QueueUnderTest, way: WayToClaim, task_id: TaskId) -> None:
        """The one task there is was not touched: it is stored as queued, and a good claim gets its first attempt."""
        if queue.subject.shared_schema:
            row = row_of(queue, task_id)
            seen = f"{row['status']}, attempts {row['attempts']}"
            queue.require(
                seen == "queued, attempts 0", "nothing is claimed: queued, attempts 0", seen, method=way.method
            )
        task = way(queue)
        got = task is not None and task.id == task_id and task.attempts in {None, 1}
        queue.require(got, f"{way} then returns task {task_id!r}, attempt 1", task, method=way.method)

    @requirement("CLM-11")
    def test_a_bad_row_does_not_stop_what_is_behind_it_and_is_not_leased_to_nobody(
        self, taskq_queue: QueueUnderTest, taskq_record: Record
    ) -> None:
        ways = own_ways_to_claim(taskq_queue.subject)
        stored = sum(self.served_past(taskq_queue, way, (bad,)) for bad in BAD_ROWS for way in ways)
        taskq_queue.precondition(stored, "a row that no enqueue would have written")
        taskq_record.explored(f"{len(BAD_ROWS)} kinds of bad rows, {len(ways)} ways to claim, {stored} rows stored")

    @requirement("CLM-11")
    def test_bad_rows_of_all_kinds_do_not_stop_what_is_between_them(self, taskq_queue: QueueUnderTest) -> None:
        for way in own_ways_to_claim(taskq_queue.subject):
            self.served_past(taskq_queue, way, BAD_ROWS)

    def served_past(self, queue: QueueUnderTest, way: WayToClaim, rows: Sequence[BadRow]) -> int:
        """Put a good task between bad rows and claim it; return how many bad rows the schema let in."""
        before = {one: bad for bad in rows if (one := insert_bad(queue, bad)) is not None}
        good = queue.enqueue("job", {})
        behind = {one: bad for bad in rows if (one := insert_bad(queue, bad)) is not None}  # the newest may come first
        require_served_past(queue, way, good, before | behind)
        queue.sql("DELETE FROM task_queue")
        return len(before) + len(behind)

    @requirement("CLM-12")
    def test_a_batch_comes_in_an_order_of_the_queue(self, taskq_bench: Bench, taskq_record: Record) -> None:
        taken = batches(taskq_bench)
        if not any(taken):
            raise NotJudgedError("claim_many returns nothing where eight tasks are claimable")
        if is_drawn(taken):
            taskq_record.explored(f"{STORES} equal stores gave different tasks: drawn, so that their order is free")
            return
        if max(map(len, taken)) == 1:
            taskq_record.explored(f"{STORES} batches of one task each, which have no order")
            return
        orders = known_orders(taskq_bench)
        name = fits(taken, orders)
        if not name:
            known = "; ".join(f"{name} {', '.join(map(str, order[: len(taken[0])]))}" for name, order in orders.items())
            raise ContractViolation(
                f"a batch begins with the first tasks of an order, in that order (places by age: {known})",
                ", ".join(map(str, taken[0])),
                method="claim_many",
            )
        taskq_record.explored(f"{STORES} batches in the order of {name}")

    @requirement("LSE-05")
    def test_a_lease_of_one_second_lasts_one_second_wherever_it_starts(
        self, taskq_bench: Bench, taskq_record: Record
    ) -> None:
        ways = own_ways_to_claim(taskq_bench.subject)
        for within in _WITHIN_A_SECOND:
            for way in ways:
                with taskq_bench.queue() as queue:
                    move_into_second(queue, within)
                    queue.enqueue("job", {})
                    queue.precondition(way(queue, "w1", 1.0), f"{way} returning the task")
                    require_still_held(queue, f"a claim by {way}", within, way.method)
        if "renew_lease" in taskq_bench.subject.own and taskq_bench.subject.offers("renew_lease"):
            for within in _WITHIN_A_SECOND:
                with taskq_bench.queue() as queue:
                    move_into_second(queue, within)
                    queue.enqueue("job", {})
                    task = queue.claim_task("w1", lease_seconds=60.0)
                    queue.precondition(task is not None, "a claim to renew")
                    if task is not None:
                        queue.precondition(queue.renew_lease(task, "w1", 1.0), "a renewal by the holder")
                        require_still_held(queue, "a renewal", within, "renew_lease")
        taskq_record.explored(f"{', '.join(map(str, _WITHIN_A_SECOND))} s past the second")


def move_into_second(queue: QueueUnderTest, within: float) -> None:
    """Let time pass to ``within`` seconds past the next whole second."""
    queue.advance(1.0 - queue.now().microsecond / 1e6 + within)


def require_still_held(queue: QueueUnderTest, after: str, within: float, method: str) -> None:
    """Nobody else gets the task a millisecond before its lease of one second is over, nor takes it back."""
    for seconds in (0.0, 0.999):
        if seconds:
            queue.advance(seconds)
        if queue.subject.offers("reclaim_expired"):
            queue.reclaim_expired()
        taken = queue.claim_task("w2", lease_seconds=1.0)
        if not seconds:
            queue.precondition(taken is None, "a lease that begins")
        expected = f"nobody else gets the task {seconds:g} s after {after} for 1 s, {within:g} s past the second"
        queue.require(taken is None, expected, taken, method=method)
