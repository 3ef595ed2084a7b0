"""Worker 02: what enqueue promises, by direct examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq.conformance.refusals import CHANGED_BY_JSON, ENQUEUE, require_refused, require_refused_by_name
from pytest_taskq.conformance.scope import has_shared_tables
from pytest_taskq.conformance.stored import DEFAULTS, count, is_near, row_of
from pytest_taskq.marks import requirement

if TYPE_CHECKING:
    from pytest_taskq.grading.record import Record
    from pytest_taskq.subject import QueueUnderTest


class TestClient:
    """The client API."""

    @requirement("ENQ-01")
    def test_two_tasks_have_two_ids(self, taskq_queue: QueueUnderTest) -> None:
        first, second = taskq_queue.enqueue("job", {"n": 1}), taskq_queue.enqueue("job", {"n": 1})
        taskq_queue.require(first != second, "two tasks have two ids", f"both are {first!r}", method="enqueue")

    @requirement("ENQ-01")
    def test_a_new_task_has_the_defaults_for_what_was_not_given(self, taskq_queue: QueueUnderTest) -> None:
        row = row_of(taskq_queue, taskq_queue.enqueue("job", {}))
        for column, value in DEFAULTS.items():
            if column in row:
                taskq_queue.require(row[column] == value, f"{column} is {value!r}", row[column], method="enqueue")

    @requirement("ENQ-02")
    def test_what_json_would_change_without_a_word_is_refused(
        self, taskq_queue: QueueUnderTest, taskq_record: Record
    ) -> None:
        if not has_shared_tables(taskq_queue.subject, taskq_record, "ENQ-02"):
            return  # there the adapter, not the queue, makes JSON of a value
        for payload in CHANGED_BY_JSON:
            require_refused(taskq_queue, taskq_queue.attempt("enqueue", "job", payload), "enqueue")
        stored = count(taskq_queue)
        taskq_queue.require(not stored, "nothing is stored", f"{stored} tasks", method="enqueue")

    @requirement("ENQ-03")
    def test_an_argument_without_a_meaning_is_refused_by_its_name(
        self, taskq_queue: QueueUnderTest, taskq_record: Record
    ) -> None:
        if not has_shared_tables(taskq_queue.subject, taskq_record, "ENQ-03"):
            return
        tried = 0
        for bad in ENQUEUE:
            for value in bad.values:
                given = {"type": "job", "payload": {}, bad.argument: value}
                outcome = taskq_queue.attempt("enqueue", given.pop("type"), given.pop("payload"), **given)
                require_refused_by_name(taskq_queue, outcome, bad, "enqueue")
                tried += 1
        stored = count(taskq_queue)
        taskq_queue.require(not stored, "nothing is stored", f"{stored} tasks", method="enqueue")
        taskq_record.explored(f"{tried} bad values of {len(ENQUEUE)} arguments")

    @requirement("ENQ-12")
    def test_a_new_task_has_utc_times(self, taskq_queue: QueueUnderTest) -> None:
        row = row_of(taskq_queue, taskq_queue.enqueue("job", {}))
        precision = taskq_queue.promises.time_precision
        for column in ("created_at_utc", "run_after_utc"):
            near = is_near(row[column], taskq_queue.now(), early=precision, late=precision)
            taskq_queue.require(near, f"{column} is {taskq_queue.now():%F %T} UTC", row[column], method="enqueue")
