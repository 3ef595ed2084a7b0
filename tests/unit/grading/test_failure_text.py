"""A failure as a terminal shows it: every line fits, and what can be typed can be copied."""

from __future__ import annotations

import pytest

from pytest_taskq.contract import Finding, Instrument, Verdict
from pytest_taskq.contract.details import Moment, Schedule
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.grading.failure_text import failure_text
from pytest_taskq.interleaving.columns import columns
from pytest_taskq.interleaving.events import Event
from pytest_taskq.subject.transcript import Transcript

ONE = REQUIREMENTS["CLM-02"]
SQL = "UPDATE task_queue SET status = 'leased', attempts = attempts + 1, locked_by = ? WHERE id = ?"
EVENTS = [
    Event(0, "call", "claim_task('w1', {}, 60.0)"),
    Event(0, "statement", SQL, ["=> (1, 'job', 100, '{}', '{}', 'leased', 1, 5)"]),
    Event(1, "statement", "SELECT id FROM task_queue"),
    Event(-1, "time", "5 s pass"),
    Event(0, "return", "-> <task 1, attempt 1>"),
]


def shown(evidence: str, width: int | None, **values: object) -> list[str]:
    finding = Finding.of(ONE, Instrument.HISTORY, Verdict.FAIL, evidence=evidence, replay="pytest -k x", **values)
    return failure_text(ONE, finding, width).splitlines()


def schedule() -> Schedule:
    numbers = iter((1, 2))
    return Schedule(
        scenario="last-task",
        token="",
        run=1,
        deviations=1,
        workers=["a", "b"],
        moments=[
            Moment(
                worker=one.actor,
                kind=one.kind,
                text=one.text,
                notes=[*one.notes],
                number=next(numbers) if one.kind == "statement" else None,
                writing=False,
                at=0.0,
            )
            for one in EVENTS
        ],
        left_out=0,
        leases=[],
    )


@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_schedule_is_laid_out_for_the_terminal(width: int) -> None:
    evidence = "\n".join(["schedule   last-task", "", *columns(EVENTS, 2), "", "expected   True"])
    lines = shown(evidence, width, details={"schedule": schedule()})
    assert max(map(len, lines)) <= width
    (head,) = [number for number, line in enumerate(lines) if "worker a" in line]
    between = lines[head].index("│")
    rows = [line for line in lines[head:] if "│" in line]
    assert len(rows) > 8
    assert {row.index("│") for row in rows} == {between}
    left = " ".join(" ".join(row.partition("│")[0].split()) for row in rows)
    assert "WHERE id = ?" in left, "a statement is not cut where it breaks the contract"


def test_a_wide_terminal_and_a_file_get_the_schedule_as_it_is() -> None:
    evidence = "\n".join(columns(EVENTS, 2))
    for width in (140, None):
        assert set(columns(EVENTS, 2)) <= set(shown(evidence, width, details={"schedule": schedule()}))


def test_a_long_line_of_evidence_goes_on_below_its_text() -> None:
    words = " ".join(["word"] * 30)
    lines = shown(f"seen       {words}\n  3. {words}\n     {words}", 60)
    assert max(map(len, lines)) <= 60
    first = next(number for number, line in enumerate(lines) if line.startswith("seen  "))
    assert lines[first + 1].startswith(f"{'':<11}word")
    third = next(number for number, line in enumerate(lines) if line.startswith("  3. "))
    assert lines[third + 1].startswith("     word")
    assert f"seen       {words}" in shown(f"seen       {words}", None), "a file keeps whole lines"


def test_the_two_commands_of_a_history_stand_on_lines_of_their_own() -> None:
    lines = shown("seen       x", 80, recheck="taskq check h.jsonl")
    assert lines[-2:] == ["rerun      pytest -k x", "check      taskq check h.jsonl"]


def test_one_long_call_does_not_push_the_outcomes_of_the_others_out_of_the_terminal() -> None:
    transcript = Transcript()
    transcript.note("INSERT INTO task_queue " + "x" * 90, "id 1")
    transcript.note("enqueue('job', {})", "2")
    assert len(transcript.lines[1]) < 80
