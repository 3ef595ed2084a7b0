"""A guest in the user's session: says nothing unasked, loads nothing unused, leaves nothing behind, breaks cleanly."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from worker_repo import REFERENCE, said

if TYPE_CHECKING:
    from worker_repo import Team

ROOT = Path(__file__).parents[2]
DOOR = {"pytest_taskq", *(f"pytest_taskq.{name}" for name in ("fixtures", "options", "plugin", "refusal"))}


@pytest.mark.parametrize("options", [(), ("-q",), ("-v",)])
def test_unused_it_says_nothing(team: Team, options: tuple[str, ...]) -> None:
    team.pytester.makepyfile(test_theirs="def test_theirs(): pass")
    result = team.pytest("-p", "no:cacheprovider", *options)
    assert result.ret == pytest.ExitCode.OK
    lines = [line for line in said(result).splitlines() if not line.startswith(("plugins:", "rootdir:"))]
    assert not any("taskq" in line or "seed" in line for line in lines)


def test_quiet_it_says_only_what_fails_the_run(team: Team) -> None:
    passed = team.grade("Right", "-q", "-k", "ENQ-10")
    assert "taskq" not in said(passed)
    failed = team.grade("Right", "-q", "-k", "ENQ-10", "--taskq-min-graded=99")
    assert failed.ret == pytest.ExitCode.TESTS_FAILED
    (line,) = [line for line in failed.outlines if "graded" in line]
    assert re.match(r"exit code 1: \d+ requirements were graded, and --taskq-min-graded asks for 99: ", line)


def test_an_ordinary_run_loads_the_door_and_nothing_behind_it(team: Team) -> None:
    team.pytester.makepyfile(
        test_theirs="""
        import sys

        def test_modules():
            found = [name for name in sys.modules if name.partition(".")[0] in ("pytest_taskq", "hypothesis")]
            open("loaded.txt", "w").write(" ".join(found))
        """
    )
    for options in ((), ("-n", "1")):
        assert team.pytest("-p", "no:cacheprovider", *options, apart=True).ret == pytest.ExitCode.OK
        assert set((team.pytester.path / "loaded.txt").read_text().split()) == DOOR


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_a_run_leaves_nothing_in_the_folder_of_the_user(team: Team, options: tuple[str, ...]) -> None:
    team.pytest("--version", apart=True)  # pytester leaves files of its own
    before = {path.name for path in team.pytester.path.iterdir()} | {"__pycache__", "runpytest-1"}
    result = team.grade(REFERENCE, "-k", "INF-05 or ENQ-01 or INF-07", *options, apart=True)
    assert result.ret == pytest.ExitCode.OK, said(result)
    assert {path.name for path in team.pytester.path.iterdir()} <= before


def test_the_folder_of_benchmark_results_stays_if_it_was_there(team: Team) -> None:
    mine = team.pytester.mkdir(".benchmarks")
    team.grade("Right", "-k", "ENQ-10")
    assert mine.is_dir()


def test_the_folder_of_benchmark_results_stays_if_there_are_results(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # pytest-benchmark would save nothing
    team.pytester.makepyfile(test_speed="def test_speed(benchmark): benchmark(len, ())")
    options = ("--benchmark-autosave", "--benchmark-max-time=0.001", "--benchmark-min-rounds=1")
    team.grade("Right", "-k", "ENQ-10 or speed", *options, apart=True)
    assert list(team.pytester.path.glob(".benchmarks/*/*.json"))


def test_names_of_the_users_settings_and_folders_do_not_reach_the_suite(team: Team) -> None:
    team.pytester.makeini("[pytest]\npython_files = check_*.py\npython_classes = Check\npython_functions = check_*\n")
    team.pytester.makepyfile(check_theirs="def check_theirs(): pass")
    result = team.grade("Right", "--import-mode=importlib", "-k", "ENQ-10 or theirs", "-v")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines_random(["*::check_theirs PASSED*", "*[[]ENQ-10] PASSED*", "MUST 1/1 *"])


@pytest.mark.parametrize("missing", ["conformance/scope.py", "conformance/test_client.py", "conformance"])
@pytest.mark.parametrize("options", [(), ("-n", "1")])
def test_an_installation_that_is_not_whole_is_a_usage_error(
    team: Team, monkeypatch: pytest.MonkeyPatch, missing: str, options: tuple[str, ...]
) -> None:
    package = team.pytester.path / "site" / "pytest_taskq"
    for source, target in (("pytest_taskq", package), *((n, package / n) for n in ("conformance", "reference_impl"))):
        shutil.copytree(ROOT / source, target, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    gone = package / missing
    shutil.rmtree(gone) if gone.is_dir() else gone.unlink()
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    result = team.grade("Right", *options, apart=True)
    assert result.ret == pytest.ExitCode.USAGE_ERROR, said(result)
    assert "The conformance suite cannot be loaded" in said(result)
    assert "Traceback" not in said(result)
    assert "INTERNALERROR" not in said(result)
