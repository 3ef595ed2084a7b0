"""A history survives the way through a file, and what is no history is refused with its line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_taskq.checkers import Kind, Operation
from pytest_taskq.cli import main
from pytest_taskq.history import Death
from pytest_taskq.recording.history_file import (
    HistoryFileError,
    RecordedHistory,
    as_plain,
    from_plain,
    read_history,
    write_history,
)

OPERATIONS = (
    Operation(kind=Kind.ENQUEUE, call=0, returned=1, actor="p", task=1, row=1, priority=3, delay=5, key="k"),
    Operation(kind=Kind.ENQUEUE, call=0, task="läßt"),
    Operation(kind=Kind.CLAIM, call=2, returned=3, task=1, lease=7, attempt=1),
    Operation(kind=Kind.COMPLETE, call=4, returned=5, task=1, result=False),
    Operation(kind=Kind.STATS, call=6, returned=7, result={"queued": 1}, error=""),
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    history = RecordedHistory(operations=OPERATIONS, checks=("fifo",), left={1: "queued", "b": "failed"}, precision=9)
    history = replace(history, deaths=(Death(actor="p", moment=7),))
    write_history(tmp_path / "h.jsonl", history)
    assert read_history(tmp_path / "h.jsonl") == history


@pytest.mark.parametrize("one", OPERATIONS, ids=lambda one: one.kind)
def test_an_operation_survives_as_plain_data(one: Operation) -> None:
    assert from_plain(json.loads(json.dumps(as_plain(one)))) == one


def test_a_file_of_the_version_before_is_read(tmp_path: Path) -> None:
    (tmp_path / "h.jsonl").write_text('{"taskq_history": 1, "checks": ["fifo"]}\n', encoding="utf-8")
    assert read_history(tmp_path / "h.jsonl") == RecordedHistory(operations=(), checks=("fifo",))


HEADER = '{"taskq_history": 1, "checks": ["fifo"]}'
BAD = {
    "": "does not begin with",
    '{"taskq_history": 3}': "does not begin with",
    '{"taskq_history": 2, "deaths": [["w0"]]}': r"the death \['w0'\], not a pair of process and moment",
    '{"taskq_history": 1, "chekcs": []}': "the first line has chekcs",
    f"{HEADER}\nnonsense": "line 2: no JSON",
    f"{HEADER}\n[1]": r"line 2: \[1\] is no JSON object",
    f'{HEADER}\n\n{{"kind": "claim"}}': r"line 3: unknown fields \[\], missing fields \['call'\]",
    f'{HEADER}\n{{"kind": "claim", "call": 1, "until": 2}}': r"line 2: unknown fields \['until'\]",
    f'{HEADER}\n{{"kind": "grab", "call": 1}}': "line 2: 'grab' is not a valid Kind",
    f'{HEADER}\n{{"kind": "claim", "call": "now"}}': "line 2: call is 'now', which is no integer",
    f'{HEADER}\n{{"kind": "claim", "call": true}}': "line 2: call is True, which is no integer",
    '{"taskq_history": 1, "left": [1]}': "the first line",
    '{"taskq_history": 1, "checks": 5}': "the first line",
    '{"taskq_history": 1, "precision": "1 s"}': "the first line",
}


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_history_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "h.jsonl").write_text(text, encoding="utf-8")
    with pytest.raises(HistoryFileError, match=BAD[text]):
        read_history(tmp_path / "h.jsonl")


def written(tmp_path: Path, *operations: Operation, checks: tuple[str, ...] = ("fifo",)) -> str:
    path = tmp_path / "h.jsonl"
    write_history(path, RecordedHistory(operations=operations, checks=checks, source="by hand"))
    return str(path)


def test_the_command_passes_a_legal_history(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", written(tmp_path, *OPERATIONS[:1])]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "by hand",
        "1 operations, 0 of them at the same time as another actor's; 0 claims, 0 contended, 0 empty",
        "fifo: PASS",
    ]


def test_the_command_shows_the_proof_of_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, *OPERATIONS[:1], Operation(kind=Kind.CLAIM, call=8, returned=9, actor="c"))
    assert main(["check", path]) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[2].startswith("fifo: FAIL: a claim found nothing although a task was there all along: c found nothing")
    assert out[-1].endswith("c claim  -> nothing")


def test_the_command_names_the_processes_that_were_killed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    history = RecordedHistory(operations=OPERATIONS[:1], checks=("fifo",), deaths=(Death(actor="p", moment=1_500_000),))
    write_history(tmp_path / "h.jsonl", history)
    assert main(["check", str(tmp_path / "h.jsonl")]) == 0
    assert "killed: p at 0.001500" in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--as", "fivo"], "there is no check 'fivo'; there are fifo"),
        (["--as", "lifo by row"], "rows that are integers, got None"),
    ],
)
def test_the_command_says_why_it_cannot_judge(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, Operation(kind=Kind.ENQUEUE, call=1, returned=2, task=1))
    assert main(["check", path, *arguments]) == 2
    assert said in capsys.readouterr().err


def test_the_command_needs_a_check_and_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", written(tmp_path, checks=())]) == 2
    assert main(["check", str(tmp_path / "none.jsonl")]) == 2
    assert main(["check", written(tmp_path, *OPERATIONS[:1], checks=("conservation",))]) == 2
    err = capsys.readouterr()
    assert "does not say what to check" in err.err
    assert "INCONCLUSIVE: nobody looked" in err.out
