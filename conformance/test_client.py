"""Worker 02: what enqueue promises, by direct examples."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pytest_taskq.conformance.refusals import (
    BAD_ITEMS,
    CHANGED_BY_JSON,
    ENQUEUE,
    require_refused,
    require_refused_by_name,
)
from pytest_taskq.conformance.scope import not_offered
from pytest_taskq.conformance.stored import DEFAULTS, count, fields_of, is_near, is_shown_as_stored, moment
from pytest_taskq.conformance.time_zones import ZONES, Times, time_zone
from pytest_taskq.contract.task import COLUMNS
from pytest_taskq.marks import requirement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_taskq.contract import TaskId
    from pytest_taskq.grading.record import Record
    from pytest_taskq.subject import QueueUnderTest

_ABLE = {"gpu": True, "zone": {"at": [1, None]}}
_GIVEN: Mapping[str, Any] = {
    "priority": 7,
    "delay_seconds": 30.0,
    "max_attempts": 2,
    "idempotency_key": "order-7",
    "compatibility": _ABLE,
}
_NEW = ("status", "priority", "attempts", "max_attempts", "compatibility", "type", "payload")


class TestClient:
    """The client API."""

    @requirement("ENQ-01")
    def test_two_tasks_have_two_ids(self, taskq_queue: QueueUnderTest) -> None:
        first, second = taskq_queue.enqueue("job", {"n": 1}), taskq_queue.enqueue("job", {"n": 1})
        taskq_queue.require(first != second, "two tasks have two ids", f"both are {first!r}", method="enqueue")

    @requirement("ENQ-01")
    def test_a_new_task_has_what_was_given_and_the_defaults_for_the_rest(
        self, taskq_queue: QueueUnderTest, taskq_record: Record
    ) -> None:
        given = {name: value for name, value in _GIVEN.items() if taskq_queue.subject.offers(f"enqueue.{name}")}
        lowest = {"priority": 0} if "priority" in given else {}
        tried = [{}, *({name: value} for name, value in given.items()), {**given, **lowest}]
        seen = 0
        for number, options in enumerate(tried):
            if "idempotency_key" in options:
                options["idempotency_key"] = f"order-{number}"
            seen += self.require_stored(taskq_queue, options)
        taskq_record.explored(f"{seen} fields of {len(tried)} tasks")

    @requirement("ENQ-02")
    def test_what_json_would_change_without_a_word_is_refused(
        self, taskq_queue: QueueUnderTest, taskq_record: Record
    ) -> None:
        if "enqueue" not in taskq_queue.subject.own:
            not_offered(taskq_record, "ENQ-02", "enqueue is the reference's")
            return
        for payload in CHANGED_BY_JSON:
            require_refused(taskq_queue, taskq_queue.attempt("enqueue", "job", payload), "enqueue")
        self.require_nothing_stored(taskq_queue)
        taskq_record.explored(f"{len(CHANGED_BY_JSON)} values")

    @requirement("ENQ-03")
    def test_an_argument_without_a_meaning_is_refused_by_its_name(
        self, taskq_queue: QueueUnderTest, taskq_record: Record
    ) -> None:
        tried = [bad for bad in ENQUEUE if taskq_queue.subject.offers(f"enqueue.{bad.argument}")]
        for bad in tried:
            for value in bad.values:
                given = {"type": "job", "payload": {}, bad.argument: value}
                outcome = taskq_queue.attempt("enqueue", given.pop("type"), given.pop("payload"), **given)
                require_refused_by_name(taskq_queue, outcome, bad, "enqueue")
        self.require_nothing_stored(taskq_queue)
        taskq_record.explored(f"{sum(len(bad.values) for bad in tried)} bad values of {len(tried)} arguments")

    @requirement("ENQ-12")
    def test_times_are_utc(self, taskq_queue: QueueUnderTest, taskq_record: Record) -> None:
        seen = Times(taskq_queue, "").require_utc()
        taskq_record.explored(f"{seen} times in the process's own zone")

    @requirement("ENQ-12")
    def test_times_are_utc_whatever_the_time_zone_of_the_process(
        self, taskq_queue: QueueUnderTest, taskq_record: Record
    ) -> None:
        if not hasattr(time, "tzset"):
            pytest.skip("this platform has no time.tzset, so that a process cannot change its time zone")
        seen = 0
        for zone in ZONES:
            with time_zone(zone):
                seen += Times(taskq_queue, zone).require_utc()
        taskq_record.explored(f"{seen} times in {len(ZONES)} time zones")

    @requirement("ENQ-13")
    def test_a_batch_stores_what_its_single_calls_store(self, taskq_queue: QueueUnderTest) -> None:
        given = {name: value for name, value in _GIVEN.items() if taskq_queue.subject.offers(f"enqueue.{name}")}
        options = [{}, *({name: value} for name, value in given.items() if name != "idempotency_key"), given]
        items = [{"type": f"type-{n}", "payload": {"n": n}, **one} for n, one in enumerate(options)]
        ids = taskq_queue.enqueue_many(items)
        found = f"{len(ids)} ids: {ids!r:.100}"
        taskq_queue.require(len(set(ids)) == len(items), f"{len(items)} ids, one an item", found, method="enqueue_many")
        for item, task_id in zip(items, ids, strict=True):
            self.require_as_single(taskq_queue, item, task_id)

    @requirement("ENQ-13")
    def test_one_bad_item_leaves_nothing_of_its_batch(self, taskq_queue: QueueUnderTest, taskq_record: Record) -> None:
        offered = [bad for bad in BAD_ITEMS if taskq_queue.subject.offers(f"enqueue.{bad.argument}")]
        good = {"type": "job", "payload": {}}
        for bad in offered:
            item = {**good, bad.argument: bad.values[0]}
            for batch in ([item, good], [good, item, good], [good, good, item]):
                outcome = taskq_queue.attempt("enqueue_many", batch)
                require_refused(taskq_queue, outcome, "enqueue_many")
                stored = count(taskq_queue)
                expected = f"nothing is stored of a batch with {bad.argument}={bad.values[0]!r} in it"
                taskq_queue.require(not stored, expected, f"{stored} tasks", method="enqueue_many")
        taskq_record.explored(f"{3 * len(offered)} batches")

    @staticmethod
    def require_nothing_stored(queue: QueueUnderTest) -> None:
        """Require that no call so far has left a task."""
        stored = count(queue)
        queue.require(not stored, "nothing is stored of what was refused", f"{stored} tasks", method="enqueue")

    @staticmethod
    def require_stored(queue: QueueUnderTest, options: Mapping[str, Any]) -> int:
        """Enqueue with these options; require that each field is what was given or the default. Returns how many."""
        task_id = queue.enqueue("mail", {"to": ["a", None]}, **options)
        found, seen = fields_of(queue, task_id, _ABLE), 0
        known = {**DEFAULTS, "type": "mail", "payload": {"to": ["a", None]}, "idempotency_key": None, **options}
        for column in (*_NEW, "idempotency_key"):
            if column in found:
                holds = is_shown_as_stored(column, found[column], known[column])
                expected = f"{column} of a task enqueued with {dict(options)!r} is {known[column]!r}"
                queue.require(holds, expected, f"{found[column]!r:.200}", method="enqueue")
                seen += 1
        if "delay_seconds" in options and "run_after_utc" in found:
            due = queue.now() + timedelta(seconds=options["delay_seconds"])
            holds = is_near(found["run_after_utc"], due, late=queue.promises.time_precision)
            expected = f"run_after_utc is {due:%F %T}, {options['delay_seconds']:g} s from now"
            queue.require(holds, expected, found["run_after_utc"], method="enqueue")
        return seen

    @staticmethod
    def require_as_single(queue: QueueUnderTest, item: Mapping[str, Any], task_id: TaskId) -> None:
        """Require that a task of a batch is the one that ``enqueue`` stores of the same item."""
        capabilities = item.get("compatibility", {})
        found = fields_of(queue, task_id, capabilities)
        key = {"idempotency_key": "single"} if "idempotency_key" in item else {}
        single = fields_of(queue, queue.enqueue(**{**item, **key}), capabilities)
        for column in COLUMNS:
            if column in ("id", "idempotency_key") or column not in single or column not in found:
                continue
            holds = is_shown_as_stored(column, found[column], single[column])
            if column.endswith("_utc") and single[column] is not None:
                precision = queue.promises.time_precision  # a clock that nobody can stop may have gone on
                holds = is_near(found[column], moment(single[column]), early=precision, late=precision)
            expected = f"{column} of {dict(item)!r} is {single[column]!r} in a batch, as by enqueue"
            queue.require(holds, expected, f"{found[column]!r:.200}", method="enqueue_many")
        if "idempotency_key" in found:
            wanted = item.get("idempotency_key")
            holds = found["idempotency_key"] == wanted
            queue.require(holds, f"idempotency_key is {wanted!r}", found["idempotency_key"], method="enqueue_many")
