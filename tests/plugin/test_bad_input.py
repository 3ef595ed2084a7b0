"""Whatever is wrong with an adapter or an option becomes a clear error or a verdict, never a hang or a pass."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest
import worker_repo  # noqa: F401 - what in-process sessions would import anew each

from pytest_taskq.grading.suite import suite_folder

ADAPTER = """
import os, sys, threading
from pytest_taskq import QueueAdapter


class Right(QueueAdapter):
    def cancel_task(self, task_id):
        return self.reference.cancel_task(task_id)


class Raises(QueueAdapter):
    def cancel_task(self, task_id):
        raise LookupError("no cancelling today")


class WrongType(QueueAdapter):
    def cancel_task(self, task_id):
        return "yes"


class Hangs(QueueAdapter):
    def cancel_task(self, task_id):
        threading.Event().wait(60)


class Exits(QueueAdapter):
    def cancel_task(self, task_id):
        os._exit(3)


class OneArgumentShort(QueueAdapter):
    def cancel_task(self):
        return True


class NoAdapter:
    pass
"""


@pytest.fixture(autouse=True)
def _alone(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTEST_TASKQ_ADAPTER", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    pytester.syspathinsert()


def run(
    pytester: pytest.Pytester, *options: str, adapter: str | None = "team:Right", apart: bool = False
) -> pytest.RunResult:
    """Grade an adapter by one requirement; in this process unless ``apart``."""
    pytester.makepyfile(team=ADAPTER)
    chosen = [f"--taskq-adapter={adapter}"] if adapter else []
    arguments = ["--taskq-conformance", "-m", "taskq", "-k", "ENQ-10", "--taskq-effort=smoke", *chosen, *options]
    arguments += ["-p", "no:cacheprovider"]
    if apart:
        return pytester.runpytest_subprocess(*arguments, timeout=60)
    return pytester.runpytest_inprocess(*arguments)


def said(result: pytest.RunResult) -> str:
    return result.stdout.str() + result.stderr.str()


@pytest.mark.parametrize(
    ("adapter", "text"),
    [
        (None, "three ways"),
        ("no_such_module:Adapter", "ModuleNotFoundError"),
        ("team:NoAdapter", "does not derive from"),
        ("team:OneArgumentShort", "cannot be called as cancel_task(task_id)"),
    ],
)
def test_what_is_no_adapter_is_a_usage_error(pytester: pytest.Pytester, adapter: str | None, text: str) -> None:
    result = run(pytester, adapter=adapter)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert text in said(result)


@pytest.mark.parametrize(
    ("adapter", "text"),
    [
        ("team:Raises", "LookupError: no cancelling today"),
        ("team:WrongType", "'yes' (str)"),
        ("team:Exits", "os._exit"),
    ],
)
def test_an_adapter_that_misbehaves_is_failed(pytester: pytest.Pytester, adapter: str, text: str) -> None:
    result = run(pytester, adapter=adapter, apart=adapter == "team:Exits")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert text in said(result)


def test_an_adapter_that_hangs_is_not_run(pytester: pytest.Pytester) -> None:
    result = run(pytester, "--taskq-call-timeout=1", adapter="team:Hangs", apart=True)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "did not return within 1 s" in said(result)
    assert "NOT RUN" in said(result)


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("--taskq-effort=heroic", "smoke"),
        ("--taskq-dsn=sqlite:///{folder}", "directory"),
        ("--taskq-dsn=sqlite:///{folder}/text.db", "not a database"),
        ("--taskq-dsn=sqlite:///{folder}/queue.db", "task_queue"),
        ("--taskq-dsn=sqlite:///{folder}/locked.db", "is not writable"),
        ("--taskq-known-failures={folder}/known.toml", "ENQ-99"),
    ],
)
def test_an_option_that_cannot_be_meant_is_a_usage_error(pytester: pytest.Pytester, option: str, text: str) -> None:
    folder = pytester.path
    (folder / "text.db").write_text("no database at all " * 100)
    (folder / "known.toml").write_text('["ENQ-99"]\nreason = "x"\n')
    for name in ("queue.db", "locked.db"):
        with closing(sqlite3.connect(folder / name)) as connection:
            connection.execute(f"CREATE TABLE {'task_queue' if name == 'queue.db' else 'other'} (id)")
    (folder / "locked.db").chmod(0o444)
    result = run(pytester, option.format(folder=folder))
    assert result.ret == pytest.ExitCode.USAGE_ERROR, said(result)
    assert text in said(result)


def test_right_code_passes_and_the_result_is_one_line(pytester: pytest.Pytester) -> None:
    result = run(pytester)
    assert result.ret == pytest.ExitCode.OK, said(result)
    assert "MUST 1/1" in said(result)


def test_the_report_is_the_model_of_all_views(pytester: pytest.Pytester) -> None:
    import json

    run(pytester, "--taskq-report=out", "--taskq-seed=7")
    report: dict[str, Any] = json.loads((pytester.path / "out" / "report.json").read_text())
    assert (report["format"], report["contract"], report["seed"], report["effort"]) == (1, "1.0", 7, "smoke")
    assert report["roles"]["client"] == "partial"
    graded = {one["id"]: one["verdict"] for one in report["requirements"]}
    assert graded["ENQ-10"] == "PASS"


def test_a_known_failure_is_xfailed_and_goes_stale_when_it_passes(pytester: pytest.Pytester) -> None:
    known = pytester.path / "known.toml"
    known.write_text('["ENQ-10"]\nreason = "being mended"\n')
    failing = run(pytester, f"--taskq-known-failures={known}", adapter="team:Raises")
    assert failing.ret == pytest.ExitCode.OK, said(failing)
    assert "KNOWN" in said(failing)
    stale = run(pytester, f"--taskq-known-failures={known}")
    assert stale.ret == pytest.ExitCode.TESTS_FAILED
    assert "stale" in said(stale)


def test_a_minimum_of_graded_requirements_is_held(pytester: pytest.Pytester) -> None:
    assert run(pytester, "--taskq-min-graded=5").ret == pytest.ExitCode.TESTS_FAILED


def test_an_unused_plugin_says_nothing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_one(): pass")
    result = pytester.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.OK
    assert "taskq conformance" not in said(result)


def test_the_plugin_alone_loads_nothing_of_the_kit_but_its_door(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_modules():
            print("LOADED", sorted(name for name in sys.modules if name.startswith("pytest_taskq")))
        """
    )
    result = pytester.runpytest_subprocess("-s", timeout=60)
    line = next(line for line in result.outlines if "LOADED" in line)
    assert not any(
        name in line for name in ("contract", "model", "subject", "instruments", "grading", "reference_impl")
    )


@pytest.mark.parametrize("workers", ["0", "1"])
def test_both_doors_at_once_are_a_usage_error(pytester: pytest.Pytester, workers: str) -> None:
    pytester.makepyfile(test_theirs="from pytest_taskq.conformance import *")
    result = run(pytester, "-n", workers, apart=workers != "0")
    assert result.ret == pytest.ExitCode.USAGE_ERROR, said(result)
    assert "ERROR: The suite came in through both doors" in said(result)


@pytest.mark.parametrize("workers", ["0", "1"])
def test_the_path_of_the_suite_itself_is_a_usage_error(pytester: pytest.Pytester, workers: str) -> None:
    result = run(pytester, "-n", workers, str(suite_folder()), apart=workers != "0")
    assert result.ret == pytest.ExitCode.USAGE_ERROR, said(result)
    assert "ERROR: The suite came in through both doors: --taskq-conformance, and the path" in said(result)


@pytest.mark.parametrize("workers", ["0", "1"])
def test_an_imported_suite_without_an_adapter_is_a_usage_error(pytester: pytest.Pytester, workers: str) -> None:
    pytester.makepyfile(test_theirs="from pytest_taskq.conformance import *")
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-n", workers)
    assert result.ret == pytest.ExitCode.USAGE_ERROR, said(result)
    assert "ERROR: No adapter is given" in said(result)


def test_it_runs_under_xdist_with_importlib_and_beside_a_folder_of_the_same_name(pytester: pytest.Pytester) -> None:
    folder = pytester.mkpydir("conformance")
    (folder / "test_client.py").write_text("def test_theirs(): pass\n")
    pytester.makepyfile(team=ADAPTER)
    options = ("-n", "2", "--import-mode=importlib", "-p", "no:cacheprovider", "-k", "ENQ-10 or test_theirs")
    result = pytester.runpytest_subprocess(
        "--taskq-conformance", "--taskq-adapter=team:Right", "--taskq-effort=smoke", *options, timeout=60
    )
    assert result.ret == pytest.ExitCode.OK, said(result)
    assert "MUST 1/1" in said(result)
    assert " passed" in said(result)
    assert "failed" not in said(result)
