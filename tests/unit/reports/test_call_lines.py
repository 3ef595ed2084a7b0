"""What a violation's lines are taken apart into."""

from __future__ import annotations

from pytest_taskq.faults.evidence import arrowed
from pytest_taskq.grading.call_lines import call_line, violation_details
from pytest_taskq.history import Kind, Operation
from pytest_taskq.history.excerpt import excerpt, history_details
from pytest_taskq.subject.transcript import Transcript
from pytest_taskq.subject.violation import ContractViolation


def test_the_lines_of_a_transcript_come_apart_as_they_were_noted() -> None:
    transcript = Transcript()
    noted = [("enqueue('job', 0)", "1"), ("5 s pass", ""), ("claim_task('w', {}, 2.0)", "<task 1, attempt 1>")]
    for what, outcome in noted:
        transcript.note(what, outcome)
    found = [call_line(line) for line in transcript.lines]
    assert [(one["text"], one["outcome"]) for one in found] == noted
    assert [one["number"] for one in found] == [1, 2, 3]
    assert {one["kind"] for one in found} == {"call"}


def test_statements_and_the_death_between_them_are_told_from_calls() -> None:
    found = [call_line(line) for line in arrowed(["BEGIN", "UPDATE t", "COMMIT"], 2)]
    assert [(one["kind"], one["number"]) for one in found] == [
        ("statement", 1),
        ("statement", 2),
        ("death", None),
        ("statement", 3),
    ]


def test_of_very_many_lines_the_last_are_kept_and_it_is_said() -> None:
    details = violation_details(ContractViolation("a", "b", calls=[f"{n:>3}. call()" for n in range(1, 1001)]))
    assert details["violation"] == {"expected": "a", "seen": "b"}
    assert len(details["calls"]) == 401
    assert details["calls"][0]["text"] == "… 600 lines before"
    assert details["calls"][-1]["number"] == 1000


def claim(number: int, task: str) -> Operation:
    return Operation(
        kind=Kind.CLAIM, call=number * 10, returned=number * 10 + 5, actor=f"w{number % 4}", task=task, lease=10**12
    )


def test_an_excerpt_of_a_long_history_holds_the_proof_its_tasks_and_the_nearest() -> None:
    operations = [claim(n, "mine" if n in (7, 60_000, 60_001) else f"t{n}") for n in range(100_000)]
    witness = operations[60_000:60_002]
    found = excerpt(operations, witness, 50)
    assert len(found) == 50
    assert {7, 60_000, 60_001} <= {one.call // 10 for one in found}
    assert {59_999, 60_002} <= {one.call // 10 for one in found}
    assert found == sorted(found, key=lambda one: one.call)


def test_the_leases_of_the_proof_are_told_with_it() -> None:
    operations = [claim(n, "mine" if n in (4, 5) else f"t{n}") for n in range(10)]
    details = history_details(operations, operations[4:6], "kept.jsonl")
    assert details["total"] == 10
    assert [(one["worker"], one["task"], one["began"]) for one in details["leases"]] == [
        ("w0", "mine", 45),
        ("w1", "mine", 55),
    ]
    assert [one["witness"] for one in details["calls"]].count(True) == 2


def test_without_a_proof_the_end_of_the_history_is_shown() -> None:
    operations = [claim(n, f"t{n}") for n in range(1_000)]
    assert [one.call for one in excerpt(operations, (), 3)] == [9_970, 9_980, 9_990]
    assert excerpt([], (), 3) == []
