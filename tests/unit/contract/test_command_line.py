"""The command `taskq` answers from the contract's data and says plainly what it did not understand."""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_taskq.cli import main
from pytest_taskq.cli.commands import COMMANDS, Command, parsed
from pytest_taskq.contract import snippets
from pytest_taskq.contract.bugs import address_of
from pytest_taskq.contract.requirements import REQUIREMENTS, SECTIONS
from pytest_taskq.contract.snippets import illustrated, module_of

if TYPE_CHECKING:
    from pytest_taskq.contract import Requirement

ESCAPE = "\x1b["


def taskq(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest_taskq", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | environment,
    )


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the command a terminal's width that does not depend on who runs the tests."""
    monkeypatch.setenv("COLUMNS", "100")


@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize("one", REQUIREMENTS.values(), ids=lambda one: one.id)
def test_explain_says_all_there_is_about_a_requirement(one: Requirement, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", one.id]) == 0
    output = capsys.readouterr().out
    assert output.splitlines()[0] == f"{one.id}  {one.level}  {one.role}"
    words = " ".join(output.split())
    bugs = map(address_of, one.bugs)
    for text in (one.text, one.why, *one.look_at, *bugs, ", ".join(one.grades), ", ".join(one.instruments)):
        assert text in words


@pytest.mark.parametrize("name", sorted(illustrated()))
def test_explain_shows_the_whole_of_a_pair(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = (Path(snippets.__file__).parent / f"{module_of(name)}.py").read_text(encoding="utf-8")
    kept = [
        node for node in ast.parse(text).body if not isinstance(node, ast.Import | ast.ImportFrom | ast.Expr | ast.If)
    ]
    lines = [line for node in kept for line in text.splitlines()[node.lineno - 1 : node.end_lineno]]
    assert main(["explain", name]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert {"class Broken(QueueAdapter):", "class Corrected(QueueAdapter):"} <= set(lines)
    assert [line for line in lines if line and f"    {line}" not in shown] == []


def test_explain_shows_an_adapter_that_breaks_it_and_one_that_keeps_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "FIN-02"]) == 0
    _, _, methods = capsys.readouterr().out.partition("\nbroken:\n")
    broken, corrected, kept = methods.partition("\ncorrected: The holder, status and attempt stand in the WHERE")
    assert corrected
    assert broken.startswith("    class Broken(QueueAdapter):\n        def complete_task(")
    assert '"WHERE id = ?"' in broken
    assert "attempts = ?" in kept


@pytest.mark.usefixtures("wide")
def test_explain_fills_no_line_beyond_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    main(["explain", *REQUIREMENTS])
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 100


def test_explain_without_an_id_lists_each_requirement_on_one_line_under_its_section(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["explain"]) == 0
    lines = capsys.readouterr().out.splitlines()
    expected: list[str] = []
    for title, requirements in SECTIONS.items():
        expected += ["", title, *(f"{one.id}  {one.level:<6}  {one.text}" for one in requirements)]
    assert lines == expected[1:]


def test_explain_takes_several_ids_in_any_case_and_keeps_their_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "fin-02", "Clm-01"]) == 0
    heads = [line for line in capsys.readouterr().out.splitlines() if line[:6] in REQUIREMENTS]
    assert [head[:6] for head in heads] == ["FIN-02", "CLM-01"]


def test_an_unknown_id_exits_2_and_names_those_close_to_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "CLM-02", "CLM-2"]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert "no requirement 'CLM-2'; close to it are CLM-" in output.err
    assert "CLM-02" in output.err
    assert "'CLM-02';" not in output.err


def test_an_id_close_to_nothing_says_where_all_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "everything"]) == 2
    assert capsys.readouterr().err == (
        "taskq: the contract has no requirement 'EVERYTHING'. `taskq explain` lists all 77.\n"
    )


@pytest.mark.parametrize("arguments", [[], ["frobnicate"], ["check"]])
def test_what_is_not_understood_exits_2_with_the_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert "usage: taskq" in capsys.readouterr().err


def test_the_help_has_one_line_for_each_command_that_exists(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        main(["--help"])
    _, _, listed = capsys.readouterr().out.partition("  COMMAND\n")
    listed, _, _ = listed.partition("\n\n")
    names = ["explain", "validate", "doctor", "demo", "check", "compare", "verify", "review"]
    assert [line.split()[0] for line in listed.splitlines()] == names == [*COMMANDS]


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda one: one.name)
def test_each_command_declares_its_arguments_and_runs_in_the_same_shape(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [*inspect.signature(command.module.add_to).parameters] == ["parser"]
    assert [*inspect.signature(command.module.run).parameters] == ["arguments"]
    with pytest.raises(SystemExit) as exit_:
        main([command.name, "--help"])
    assert exit_.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: taskq {command.name} [-h]")


def test_the_help_loads_no_command_and_nothing_heavy() -> None:
    program = (
        "import sys, contextlib, io\nfrom pytest_taskq.cli import main\n"
        "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):\n    main(['--help'])\n"
        "ours = {one for one in sys.modules if one.startswith('pytest_taskq')}\n"
        "heavy = {'pytest', 'rich', 'hypothesis', 'sqlite3', 'json'} & set(sys.modules)\n"
        "print(*sorted(ours | heavy))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["pytest_taskq", "pytest_taskq.cli", "pytest_taskq.cli.commands"]


def test_paths_and_options_of_a_command_may_be_mixed() -> None:
    command, arguments = parsed(["compare", "base", "--format=json", "head"])
    assert (command.name, arguments.base, arguments.format, arguments.head) == ("compare", "base", "json", "head")


def test_the_module_is_the_command() -> None:
    done = taskq("explain", "LSE-05")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "LSE-05  SHOULD  engine")
    assert taskq("explain", "LSE-5").returncode == 2


def test_output_into_a_pipe_has_no_escape_sequences_and_needs_no_rich() -> None:
    program = "import sys; from pytest_taskq.cli import main; main(['explain']); sys.exit('rich' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"FORCE_COLOR": "1"},
    )
    assert ESCAPE not in done.stdout


def on_a_terminal(*arguments: str) -> str:
    """Return what Python, run with these arguments, writes to a pseudo terminal of 60 columns."""
    pty = pytest.importorskip("pty", reason="no pseudo terminals here")
    ours, theirs = pty.openpty()
    clean = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        command = [sys.executable, *arguments]
        variables = clean | {"TERM": "xterm", "COLUMNS": "60"}
        with subprocess.Popen(command, stdout=theirs, stderr=subprocess.PIPE, env=variables) as process:
            os.close(theirs)
            written = b""
            # Linux answers EIO when the last writer has closed a pseudo terminal, macOS an empty read.
            try:
                while chunk := terminal.read(65536):
                    written += chunk
            except OSError:
                pass
            assert process.wait(timeout=60) == 0
    return written.decode().replace("\r\n", "\n")


def test_a_terminal_gets_a_heading_that_stands_out_and_lines_that_fit() -> None:
    output = on_a_terminal("-m", "pytest_taskq", "explain")
    assert f"{ESCAPE}1mEngine{ESCAPE}0m" in output
    lines = output.replace(f"{ESCAPE}1m", "").replace(f"{ESCAPE}0m", "").splitlines()
    assert max(map(len, lines)) == 60
    assert len([line for line in lines if line[:6] in REQUIREMENTS]) == len(REQUIREMENTS)


def test_brackets_in_a_text_are_not_taken_for_markup_on_a_terminal() -> None:
    program = "from pytest_taskq.cli.output import show; show([('rows[bold] and [red]', '')])"
    assert on_a_terminal("-c", program).strip() == "rows[bold] and [red]"
