"""The instrument itself: floors, what it keeps of a failure, and what it does not judge."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_taskq import QueueAdapter
from pytest_taskq.cli import main
from pytest_taskq.cli.verify import histories
from pytest_taskq.contract import Finding, Verdict
from pytest_taskq.contract.requirements import REQUIREMENTS, by_instrument
from pytest_taskq.history import Death, Kind, Operation
from pytest_taskq.instruments.budget import Budget
from pytest_taskq.instruments.history import JUDGED, HistoryJudge, end_processes
from pytest_taskq.instruments.history_calls import survives
from pytest_taskq.instruments.history_claims import never_wrongly_empty, no_two_holders, nothing_lost
from pytest_taskq.instruments.history_evidence import Broken, Thin, nothing_raised
from pytest_taskq.recording.history_file import read_history
from pytest_taskq.recording.stage import Recording, Row
from pytest_taskq.reports.verification import State
from pytest_taskq.subject import Bench, Stores, Subject
from pytest_taskq.subject.violation import InconclusiveError


@pytest.fixture(autouse=True)
def _no_processes_left() -> Iterator[None]:
    yield
    end_processes()


SUBJECT = Subject.load("pytest_taskq.reference_impl:Adapter")
MADE = Operation(kind=Kind.ENQUEUE, task="t", call=0, returned=1, actor="p")


def recording(*operations: Operation, rows: list[Row] | None = None) -> Recording:
    return Recording(operations=operations, answers={}, rows=rows)


def test_all_that_the_contract_gives_to_it_is_judged() -> None:
    assert {one.id for one in by_instrument("h")} == set(JUDGED)


def test_a_recording_in_which_nothing_met_is_no_pass() -> None:
    got = Operation(kind=Kind.CLAIM, task="t", call=2, returned=3, actor="c", lease=10**12)
    for judge in (no_two_holders, nothing_lost, never_wrongly_empty):
        with pytest.raises(Thin, match=r"only 0 claims met another process's, and fewer than 20 prove nothing"):
            judge(recording(MADE, got), SUBJECT, "")


@pytest.mark.parametrize(
    ("error", "seconds", "locks_only", "raises"),
    [
        ("QueueBusyError: locked", 0.1, True, True),
        ("QueueBusyError: locked", 4.9, True, False),
        ("OperationalError: database is locked", 0.1, False, True),
        ("ValueError: x", 0.1, True, False),
        ("ValueError: x", 9.0, False, True),
    ],
)
def test_a_lock_error_counts_only_before_the_busy_timeout(
    error: str, seconds: float, locks_only: bool, raises: bool
) -> None:
    failed = Operation(kind=Kind.CLAIM, call=0, returned=round(seconds * 1e9), error=error)
    if raises:
        with pytest.raises(Broken, match="before the busy timeout of 5 s"):
            nothing_raised(recording(failed), SUBJECT, (Kind.CLAIM,), locks_only=locks_only)
    else:
        nothing_raised(recording(failed), SUBJECT, (Kind.CLAIM,), locks_only=locks_only)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "was acknowledged and is not there"),
        ([Row(task="t", status="queued", type="job")] * 2, "is there 2 times"),
        ([Row(task="t", status="retrying", type="job")], "'t' is 'retrying'"),
        ([Row(task="t", status="queued", type="job")], "never were"),
    ],
)
def test_a_task_that_is_lost_doubled_or_out_of_reach_is_seen(rows: list[Row], said: str) -> None:
    with pytest.raises(Broken, match=said):
        nothing_lost(recording(MADE, rows=rows), SUBJECT, "CLM-03")


def test_a_recording_in_which_nobody_was_killed_at_work_is_no_pass() -> None:
    known = [replace(MADE, task=f"t{n}", actor="w0") for n in range(20)]
    rows = [Row(task=f"t{n}", status="queued", type="job") for n in range(20)]
    with pytest.raises(Thin, match="only 0 processes were killed at their work"):
        survives(recording(*known, rows=rows), SUBJECT, "")
    died = replace(recording(*known, rows=rows), deaths=(Death(actor="w0", moment=9),))
    assert survives(died, SUBJECT, "").startswith("1 process killed at work, 0 of them inside an enqueue")


class Inside(QueueAdapter):
    """Can be imported by name."""


def judged(adapter: type, requirement: str, folder: Path, report: Path | None = None) -> Finding:
    subject = Subject(adapter.__name__, adapter)
    bench = Bench(subject, Stores(subject, folder / "stores"), evidence=report)
    return bench.run(lambda: HistoryJudge().judge(REQUIREMENTS[requirement], bench, Budget("smoke", 1)))


def test_a_failure_is_kept_where_it_can_be_judged_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "mutants")
    from mutant_queues.histories import LocksItsThreads

    finding = judged(LocksItsThreads, "CLM-02", tmp_path)
    assert finding.verdict is Verdict.FAIL
    command, check, path = finding.recheck.split()
    assert (command, check) == ("taskq", "check")
    assert Path(path).parent == tmp_path / "taskq-histories"
    assert main(["check", path]) == 1
    assert "leases: FAIL: a task is handed out while its holder's lease runs" in capsys.readouterr().out
    report = tmp_path / "out"
    again = judged(LocksItsThreads, "CLM-02", tmp_path, report)  # from the same recording
    assert Path(again.recheck.split()[-1]).parent == report / "histories"
    assert [(one.what, one.state) for one in histories(report)] == [
        (f"history histories/{Path(path).name}", State.HOLDS)
    ]


def test_a_process_that_was_killed_is_in_the_evidence_the_details_and_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "mutants")
    from mutant_queues.histories import AcknowledgesWhatItBuffers

    finding = judged(AcknowledgesWhatItBuffers, "ENQ-08", tmp_path)
    assert finding.verdict is Verdict.FAIL
    history = finding.details["history"]
    (lost,) = (call for call in history["calls"] if call["witness"])
    death = next(one for one in history["deaths"] if one["worker"] == lost["worker"])
    assert death["at"] >= (lost["returned"] or lost["called"])
    last = history["calls"][death["call"]]
    assert last["worker"] == lost["worker"]
    assert last["called"] <= death["at"]
    assert re.search(
        rf"^killed     \d+\.\d+  {lost['worker']}, (between two calls|in enqueue )", finding.evidence, re.MULTILINE
    )
    kept = read_history(Path(finding.recheck.split()[-1]))
    assert lost["worker"] in {one.actor for one in kept.deaths}


def test_an_adapter_that_no_process_can_import_is_unsupported() -> None:
    class Local(QueueAdapter):
        pass

    assert "move the adapter to a module" in str(HistoryJudge().supports(Subject("Local", Local)))
    assert HistoryJudge().supports(Subject("Inside", Inside)) is None
    assert Subject("a:B", Inside).import_string == "a:B"


def test_what_stays_too_thin_is_inconclusive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pytest_taskq.instruments import history

    def alone(_: object, longer: int) -> Recording:
        lengths.append(longer)
        return recording(MADE)

    lengths: list[int] = []
    monkeypatch.setitem(history.SESSIONS, "CLM-02", replace(history.SESSIONS["CLM-02"], record=alone))
    with pytest.raises(InconclusiveError, match="although it was tried 4 times, each longer than the one before"):
        judged(SUBJECT.adapter, "CLM-02", tmp_path)
    assert lengths == [1, 2, 4, 8]
