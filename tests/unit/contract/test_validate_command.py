"""`taskq validate` answers with its exit code whether a database is a sound queue, and changes nothing."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pytest_taskq import reference_impl
from pytest_taskq.cli import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def queue_file(tmp_path: Path) -> Path:
    """Give the file of a fresh and closed queue."""
    path = tmp_path / "queue.db"
    database = reference_impl.QueueDatabase(path)
    database.initialize_schema()
    database.close()
    return path


def test_a_sound_queue_exits_0_and_the_report_names_the_requirements(
    queue_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", str(queue_file)]) == 0
    assert "INF-03" in capsys.readouterr().out


def test_a_queue_that_lacks_a_column_exits_1_and_the_report_names_it(
    queue_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    connection = sqlite3.connect(queue_file)
    connection.execute("ALTER TABLE task_queue DROP COLUMN error_message")
    connection.close()
    assert main(["validate", str(queue_file)]) == 1
    assert "error_message" in capsys.readouterr().out


def test_validating_leaves_the_file_as_it_was(queue_file: Path) -> None:
    before = queue_file.read_bytes()
    main(["validate", str(queue_file)])
    assert queue_file.read_bytes() == before
    assert [path.name for path in queue_file.parent.iterdir()] == [queue_file.name]


def test_a_path_without_a_database_exits_2_and_creates_none(tmp_path: Path) -> None:
    assert main(["validate", str(tmp_path / "nothing.db")]) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_exits_1(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear queue, this is no database. " * 100)
    assert main(["validate", str(path)]) == 1


def test_the_module_of_the_reference_is_the_same_command(queue_file: Path) -> None:
    module = [sys.executable, "-m", "pytest_taskq.reference_impl.validation", "--json", str(queue_file)]
    ran = subprocess.run(module, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    report = json.loads(ran.stdout)
    assert (report["ok"], {one["verdict"] for one in report["checks"]}) == (True, {"ok"})


def test_without_a_path_a_fresh_queue_of_the_reference_is_looked_at() -> None:
    assert main(["validate"]) == 0


def test_a_benchmark_of_what_is_not_valid_says_that_nothing_was_timed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.db").touch()
    assert main(["validate", "--benchmark", str(tmp_path / "empty.db")]) == 1
    assert "nothing was timed" in capsys.readouterr().out
