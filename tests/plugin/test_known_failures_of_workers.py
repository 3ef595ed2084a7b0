"""The file of known failures under pytest-xdist: read once, and each entry told once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from worker_repo import said

from pytest_taskq.grading.known import KnownFailure, known_failures, send_known_failures

if TYPE_CHECKING:
    from pathlib import Path

    from worker_repo import Team

TODAY = datetime.now(UTC).astimezone().date()
# The controller loads the conftest of a repository as its workers do: each notes that it reads the file.
NOTES_READERS = """
import tomllib

def pytest_configure(config):
    loads = tomllib.loads
    def noted(text):
        if "ENQ-10" in text:
            with open("readers.txt", "a") as file:
                file.write("worker " if hasattr(config, "workerinput") else "controller ")
        return loads(text)
    tomllib.loads = noted
"""


def test_the_controller_alone_reads_the_file_and_says_once_what_is_over(team: Team) -> None:
    entries = {"ENQ-10": TODAY, "ENQ-12": TODAY - timedelta(days=1), "OBS-03": TODAY}
    text = "\n".join(f'["{name}"]\nreason = "slow to mend"\nuntil = {day}' for name, day in entries.items())
    (team.pytester.path / "known.toml").write_text(text, encoding="utf-8")
    team.pytester.makeconftest(NOTES_READERS)
    options = ("-n2", "-k", "ENQ-10 or ENQ-12 or OBS-03", "--taskq-known-failures=known.toml", "--taskq-strict")
    result = team.grade("WrongElsewhere", *options, apart=True)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert [line for line in result.outlines if line.startswith(("KNOWN", "exit code 1"))] == [
        "KNOWN        ENQ-10 MUST   slow to mend",
        f"exit code 1: the known failure ENQ-12 counted until {entries['ENQ-12']}: mend it, or say until when",
        "exit code 1: OBS-03 is PASS but listed as a known failure: remove the stale entry",
    ], said(result)
    assert said(result).count("rerun ") == 2, "ENQ-12 has two checks, and each fails"
    assert result.outlines.count('["ENQ-12"]') == 1
    assert (team.pytester.path / "readers.txt").read_text(encoding="utf-8") == "controller "


def worker() -> SimpleNamespace:
    """What pytest-xdist hands to the hook that prepares a worker; the worker has its ``workerinput`` as its own."""
    return SimpleNamespace(workerinput={})


def controller() -> SimpleNamespace:
    return SimpleNamespace(stash=pytest.Stash())


def test_a_worker_is_told_what_counts_today_and_reads_nothing(tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    path.write_text('["ENQ-10"]\nreason = "a"\nissue = "b"\n["ENQ-12"]\nreason = "c"\nuntil = 2026-01-01\n')
    above, node = controller(), worker()
    send_known_failures(path, above, node, date(2026, 1, 2))
    path.unlink()
    assert known_failures(path, node) == {"ENQ-10": KnownFailure(requirement="ENQ-10", reason="a (b)")}
    assert [*known_failures(path, above)] == ["ENQ-10", "ENQ-12"]  # as it was read for the worker


def test_what_is_wrong_with_the_file_is_refused_in_the_worker_too(tmp_path: Path) -> None:
    node = worker()
    send_known_failures(tmp_path / "none.toml", controller(), node, TODAY)
    with pytest.raises(pytest.UsageError, match="cannot be read"):
        known_failures(None, node)


def test_without_a_file_nothing_is_known() -> None:
    node = worker()
    send_known_failures(None, controller(), node, TODAY)
    assert known_failures(None, node) == {}


def test_the_workers_of_an_imported_suite_are_told_by_the_controller(team: Team) -> None:
    (team.pytester.path / "known.toml").write_text('["ENQ-10"]\n', encoding="utf-8")
    team.pytester.makepyfile(test_suite="from pytest_taskq.conformance import *")
    options = ("-n1", "-p", "no:cacheprovider", "--taskq-known-failures=known.toml", "-k", "ENQ-10")
    team.pytester.makeconftest(NOTES_READERS)
    result = team.pytest("--taskq-adapter=team:Wrong", *options, apart=True)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert said(result).count("ENQ-10 has no reason") == 1
    assert (team.pytester.path / "readers.txt").read_text(encoding="utf-8") == "controller "
