"""Beside pytest-xdist, JUnit files, strict configuration, either clock, and a plugin that is switched off."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest
from worker_repo import REFERENCE, said

from pytest_taskq.clock import ClockUnavailableError, VirtualClock

if TYPE_CHECKING:
    from pathlib import Path

    from worker_repo import Team

FAILED, OK, USAGE = pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.OK, pytest.ExitCode.USAGE_ERROR


def properties(path: Path) -> dict[str, list[str]]:
    """Return the values of each property of the test cases in a JUnit file."""
    found: dict[str, list[str]] = {}
    for one in ET.parse(path).iterfind(".//testcase/properties/property"):  # noqa: S314 - written by pytest
        found.setdefault(one.attrib["name"], []).append(one.attrib["value"])
    return found


# --- JUnit ------------------------------------------------------------------------------------------------------------


def test_junit_properties_tell_requirement_role_verdict_and_seed(team: Team) -> None:
    team.grade("WrongTwice", "--taskq-seed=7", "--junitxml=junit.xml", "-k", "TestModel and (ENQ-10 or OBS-01)")
    assert properties(team.pytester.path / "junit.xml") == {
        "taskq.requirement": ["ENQ-10", "OBS-01"],
        "taskq.role": ["client", "observability"],
        "taskq.verdict": ["FAIL", "FAIL"],
        "taskq.seed": ["7", "7"],
    }


def test_a_known_failure_is_known_in_the_junit_file(team: Team) -> None:
    (team.pytester.path / "known.toml").write_text('["ENQ-10"]\nreason = "being mended"\n', encoding="utf-8")
    team.grade("Wrong", "-k", "ENQ-10", "--junitxml=junit.xml", "--taskq-known-failures=known.toml")
    assert set(properties(team.pytester.path / "junit.xml")["taskq.verdict"]) == {"KNOWN"}


def test_junit_properties_can_be_switched_off(team: Team) -> None:
    team.pytester.makeini("[pytest]\ntaskq_junit_properties = false\n")
    team.grade("Right", "-k", "ENQ-10", "--junitxml=junit.xml")
    assert properties(team.pytester.path / "junit.xml") == {}


# --- pytest-xdist -----------------------------------------------------------------------------------------------------


def test_all_workers_share_the_seed_that_is_printed(team: Team) -> None:
    result = team.grade("WrongElsewhere", "-n", "2", "--junitxml=junit.xml", apart=True)
    (printed,) = re.findall(r"effort smoke, seed (\d+)", result.stdout.str())
    seeds = properties(team.pytester.path / "junit.xml")["taskq.seed"]
    assert len(seeds) > 2
    assert set(seeds) == {printed}


def test_a_worker_that_is_killed_leaves_its_check_not_run(team: Team) -> None:
    team.pytester.makepyfile(test_theirs="def test_theirs(): pass")
    result = team.grade("Killed", "-n", "2", "-k", "ENQ-10 or theirs", apart=True)
    assert result.ret == FAILED, said(result)
    assert result.parseoutcomes()["passed"] == 1
    result.stdout.fnmatch_lines(["NOT RUN *ENQ-10 MUST *the process died while this was judged*", "1 not run *"])


def test_a_suite_that_is_imported_is_judged_under_xdist(team: Team) -> None:
    team.pytester.makepyfile(test_door="from pytest_taskq.conformance import TestModel")
    options = ("-n", "2", "-k", "ENQ-10", "--taskq-effort=smoke", "--taskq-adapter=team:Wrong")
    result = team.pytest(*options, apart=True)
    assert result.ret == FAILED
    result.stdout.fnmatch_lines(["taskq: adapter team:Wrong, *seed *", "FAIL *ENQ-10*", "MUST 0/1*"])


# --- strict configuration, and a plugin that is switched off ----------------------------------------------------------

needs_strict = pytest.mark.skipif(pytest.version_tuple < (9, 0), reason="[tool.pytest] and strict came with pytest 9")


@needs_strict
def test_the_strict_table_takes_every_key_of_ours_by_its_type(team: Team) -> None:
    (team.pytester.path / "known.toml").write_text("", encoding="utf-8")
    team.pytester.makepyprojecttoml(
        """
        [tool.pytest]
        strict = true
        strict_config = true
        strict_markers = true
        strict_parametrization_ids = true
        strict_xfail = true
        pythonpath = ["."]
        taskq_adapter = "team:Right"
        taskq_effort = "smoke"
        taskq_min_graded = 2
        taskq_strict = true
        taskq_known_failures = "known.toml"
        taskq_clock = "functions"
        taskq_call_timeout = 20.0
        taskq_junit_properties = true
        """
    )
    team.pytester.makepyfile(test_theirs="def test_theirs(queue_db, worker_claimer): pass")
    result = team.pytest("--taskq-conformance", "-p", "no:cacheprovider", "-k", "ENQ-10 or ENQ-12 or theirs")
    assert result.ret == OK, said(result)
    result.stdout.fnmatch_lines(["taskq: adapter team:Right, *effort smoke, *clock functions", "MUST *"])
    assert result.parseoutcomes()["passed"] > 2


@needs_strict
def test_a_value_of_another_type_is_refused_in_the_strict_table(team: Team) -> None:
    team.pytester.makepyprojecttoml('[tool.pytest]\nstrict = true\ntaskq_min_graded = "many"\n')
    result = team.pytest("--taskq-conformance", "--taskq-adapter=team:Right")
    assert result.ret not in (OK, FAILED)
    assert "taskq_min_graded" in said(result)


STRICT = "[pytest]\naddopts = --strict-config --strict-markers\ntaskq_adapter = team:Right\n"


def test_switched_off_it_takes_no_part(team: Team) -> None:
    team.pytester.makepyfile(test_theirs="def test_theirs(): pass")
    result = team.pytest("-p", "no:taskq", "-p", "no:cacheprovider")
    assert result.ret == OK
    assert "taskq" not in said(result).replace("plugins: benchmark", "").partition("collected")[2]
    assert team.pytest("-p", "no:taskq", "--taskq-conformance").ret == USAGE


def test_switched_off_under_strict_config_the_ini_key_is_unknown_unless_the_conftest_knows_it(team: Team) -> None:
    team.pytester.makeini(STRICT)
    team.pytester.makepyfile(test_theirs="def test_theirs(): pass")
    assert team.pytest("-p", "no:taskq", "-p", "no:cacheprovider").ret == USAGE
    team.pytester.makeconftest(
        """
        def pytest_addoption(parser, pluginmanager):
            if not pluginmanager.hasplugin("taskq"):
                parser.addini("taskq_adapter", "of pytest-taskq, which is switched off")
        """
    )
    assert team.pytest("-p", "no:taskq", "-p", "no:cacheprovider").ret == OK
    graded = team.grade("Right", "-k", "ENQ-10")
    assert graded.ret == OK, "beside the plugin the conftest does no harm"


def test_the_environment_names_the_adapter_where_the_ini_file_cannot(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_TASKQ_ADAPTER", "team:Right")
    result = team.pytest("--taskq-conformance", "-k", "ENQ-10", "--taskq-effort=smoke")
    assert result.ret == OK
    result.stdout.fnmatch_lines(["taskq: adapter team:Right, *"])


# --- clocks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("means", ["functions", "vfs"])
def test_either_clock_serves_the_suite(team: Team, means: str) -> None:
    try:
        with VirtualClock(means=means):  # type: ignore[arg-type]  # one of the two
            pass
    except ClockUnavailableError as error:
        pytest.skip(str(error))
    needs_time = "ENQ-06 or LSE-01 or FIN-04 or CLM-04 or LSE-05"
    result = team.grade(REFERENCE, f"--taskq-clock={means}", "-k", needs_time)
    assert result.ret == OK, said(result)
    result.stdout.fnmatch_lines([f"taskq: *clock {means}", "MUST 4/4 · SHOULD 1/1 *"])
    team.grade("TellsItsClock", f"--taskq-clock={means}", "-k", "ENQ-10")
    assert set((team.pytester.path / "clocks.txt").read_text(encoding="utf-8").split()) == {means}


def test_neither_clock_is_chosen_where_it_is_out_of_reach(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    from pytest_taskq.clock import sqlite_vfs

    def out_of_reach() -> None:
        raise ClockUnavailableError("no ctypes here", "Use another Python.")

    monkeypatch.setattr(sqlite_vfs, "virtual_sqlite_time", out_of_reach)
    asked = team.grade("Right", "-k", "ENQ-10", "--taskq-clock=vfs")
    assert asked.ret == USAGE
    assert "--taskq-clock=vfs is not possible here" in said(asked)
    result = team.grade("Right", "-k", "ENQ-10")
    assert result.ret == OK
    result.stdout.fnmatch_lines(["taskq: *clock functions"])
