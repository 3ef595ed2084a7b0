"""What pytest-cov measured of the team's package stands beside the verdicts, and nothing where it measured nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from coverage import Coverage

from pytest_taskq.contract import CONTRACT_VERSION
from pytest_taskq.grading.coverage import coverage_of
from pytest_taskq.reports.json_file import as_plain
from pytest_taskq.reports.run_report import CodeCoverage, Facts, Plan, build_report
from pytest_taskq.reports.terminal import lines

CODE = "def one():\n    return 1\n\n\ndef two():\n    return 2\n"


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A session of which pytest-cov kept these lines by file."""
    monkeypatch.syspath_prepend(tmp_path)
    data = Coverage(data_file=str(tmp_path / ".coverage"), config_file=False)

    def session(**ran: list[int]) -> SimpleNamespace:
        data.get_data().add_lines({str(path_of(tmp_path, name)): ran_lines for name, ran_lines in ran.items()})
        plugin = SimpleNamespace(cov_controller=SimpleNamespace(cov=data))
        return SimpleNamespace(pluginmanager=SimpleNamespace(get_plugin={"_cov": plugin}.get))

    return session


def path_of(folder: Path, name: str) -> Path:
    path = folder / f"{name.replace('__', '/')}.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(CODE, encoding="utf-8")
    return path


def test_all_files_of_the_adapters_package_count_and_no_others(measured):
    session = measured(millcov__engine=[1, 2, 5], millcov__unused=[], millcov_too=[1, 2, 5, 6])
    found = coverage_of(session, "millcov.taskq_adapter")
    assert found == CodeCoverage(package="millcov", statements=8, missed=5)
    assert found.percent == 37


def test_an_adapter_in_a_module_of_its_own_counts_alone(measured):
    found = coverage_of(measured(alonecov=[1, 5], elsecov=[1]), "alonecov")
    assert found == CodeCoverage(package="alonecov", statements=4, missed=2)


def test_where_nothing_of_the_package_was_measured_nothing_is_said(measured):
    session = measured(elsecov2=[1])
    assert coverage_of(session, "json.decoder") is None
    assert coverage_of(session, "no_such_package_at_all") is None


@pytest.mark.parametrize("plugin", [None, SimpleNamespace(cov_controller=None)])
def test_a_session_without_measurement_has_none(plugin):
    session = SimpleNamespace(pluginmanager=SimpleNamespace(get_plugin=lambda _: plugin))
    assert coverage_of(session, "json") is None


def test_the_figure_is_rounded_down():
    assert CodeCoverage(package="mill", statements=1000, missed=201).percent == 79
    assert CodeCoverage(package="mill", statements=1000, missed=200).percent == 80


def test_it_is_in_the_summary_and_in_the_report_on_disk():
    facts = Facts(
        kit="0", contract=CONTRACT_VERSION, adapter="mill:Adapter", backend="", clock="", seed=1, effort="pr", roles={}
    )
    plain = build_report(facts, Plan(graded=[], reference_alone=0, checks={}, instruments={}), [])
    assert as_plain(plain)["coverage"] is None
    assert not any("coverage" in line.text for line in lines(plain, None))
    report = replace(plain, coverage=CodeCoverage(package="mill", statements=100, missed=17))
    assert "coverage of mill: 83 % (target 80 %)" in [line.text for line in lines(report, None)]
    shown = {"package": "mill", "statements": 100, "missed": 17, "percent": 83, "target": 80}
    assert as_plain(report)["coverage"] == shown
