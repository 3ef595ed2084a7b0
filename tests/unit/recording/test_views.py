"""What of a recording counts: nothing is taken for certain that a correct queue need not have done."""

from __future__ import annotations

from pytest_taskq.history import Kind, Operation
from pytest_taskq.recording.log import CallLog, operations_in
from pytest_taskq.recording.views import certainly_due, choices, claimed_at_last, without_attempts


def put(task: str, call: int, returned: int) -> Operation:
    return Operation(kind=Kind.ENQUEUE, task=task, call=call, returned=returned)


def got(task: str | None, call: int, returned: int) -> Operation:
    return Operation(kind=Kind.CLAIM, task=task, call=call, returned=returned, attempt=1)


def test_a_task_is_certainly_due_after_the_precision_or_by_its_stored_time_or_when_a_later_one_was_served() -> None:
    a, b, c = put("a", 0, 10), put("b", 20, 30), put("c", 25, 35)
    operations = [a, b, c, got("b", 40, 50)]

    def due(precision: int, **stored: int) -> list[int | None]:
        return [one.returned for one in certainly_due(operations, precision, stored)[:3]]

    assert due(0) == [10, 30, 35]
    assert due(1_000) == [50, 1_030, 1_035]
    assert due(15) == [25, 45, 50]
    assert due(1_000, a=10, b=31) == [10, 1_030, 1_035]


def test_a_task_that_nobody_got_says_nothing() -> None:
    empty = got(None, 50, 60)
    assert claimed_at_last([put("a", 0, 1), put("b", 2, 3), got("a", 4, 5), empty]) == [
        put("a", 0, 1),
        got("a", 4, 5),
        empty,
    ]


def test_a_choice_is_a_claim_that_found_two_tasks_waiting() -> None:
    three = [put("a", 0, 1), put("b", 2, 3), put("c", 4, 5)]
    assert choices([*three, got("a", 10, 11), got("b", 12, 13), got("c", 14, 15)]) == 2
    assert choices([*three, got("a", 10, 20), got("b", 11, 21), got("c", 12, 22)]) == 2
    assert choices([put("a", 0, 1), got("a", 2, 3)]) == 0


def test_attempts_are_left_out() -> None:
    assert without_attempts([got("a", 1, 2)])[0].attempt is None


def test_a_line_torn_by_death_belongs_to_a_call_that_was_not_made(tmp_path) -> None:
    path = tmp_path / "w0.calls"
    log = CallLog(str(path), "w0")
    log.end(log.begin(Kind.CLAIM, lease=5), 10**18, task="t")
    log.begin(Kind.ENQUEUE, task="u")
    log.close()
    with path.open("a") as file:
        file.write('{"n": 3, "kind": "cla')
    claim, enqueue = operations_in(path)
    assert (claim.kind, claim.task, claim.lease, claim.returned) == (Kind.CLAIM, "t", 5, 10**18)
    assert enqueue.crashed
    assert operations_in(tmp_path / "none.calls") == []
