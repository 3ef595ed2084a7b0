"""Verdicts of the harness are those of a session of the plugin."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from grading import findings
from mutant_queues import broken, engine, wholes

from pytest_taskq.contract import Instrument, Verdict, combine
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.grading.suite import shipped_checks

HERE = Path(__file__).parent
SAME: dict[type, tuple[str, ...]] = {
    broken.CompletesById: ("FIN-01", "FIN-02", "FIN-03", "INF-07"),
    broken.ClaimsNothing: ("CLM-01", "CLM-02", "CLM-04", "CLM-07", "CLM-08"),
    broken.ScansForItsTask: ("FIN-01", "INF-07"),
    engine.Engine: ("CLM-01", "FIN-02", "INF-07"),
    wholes.InMemory: ("ENQ-01", "CLM-08", "SCH-01", "INF-07", "MNT-05"),
}


# Not by pytester: it takes out of sys.modules what a test imported first, and half of the kit would be imported twice.
def verdicts_of_the_plugin(folder: Path, adapter: type, names: tuple[str, ...]) -> dict[str, Verdict]:
    folder.joinpath("pytest.ini").write_text(f"[pytest]\npythonpath = {HERE}\n", encoding="utf-8")
    chosen = f"--taskq-adapter={adapter.__module__}:{adapter.__qualname__}"
    options = ("-k", " or ".join(names), "--taskq-effort=smoke", "--taskq-seed=1", "--taskq-report=report")
    command = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--taskq-conformance", "-m", "taskq", chosen)
    ended = subprocess.run((*command, *options), cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED), ended.stdout + ended.stderr
    report = json.loads(folder.joinpath("report", "report.json").read_text(encoding="utf-8"))
    return {one["id"]: Verdict(one["verdict"]) for one in report["requirements"]}


@pytest.mark.parametrize(("adapter", "names"), SAME.items(), ids=[adapter.__name__ for adapter in SAME])
def test_verdicts_are_those_of_the_plugin(adapter: type, names: tuple[str, ...], tmp_path: Path) -> None:
    here = {name: combine(findings(adapter, REQUIREMENTS[name], tmp_path / name)) for name in names}
    assert here == verdicts_of_the_plugin(tmp_path, adapter, names)


def test_every_shipped_test_is_run_as_often_as_the_suite_makes_it(tmp_path: Path) -> None:
    for name in ("CLM-08", "FIN-01", "INF-07"):
        shipped = sum(count for check, count in shipped_checks().items() if check.requirement == name)
        assert len(findings(engine.Engine, REQUIREMENTS[name], tmp_path / name)) == shipped > 0


def test_a_requirement_of_other_methods_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"CompletesById overrides nothing that ENQ-01 grades"):
        findings(broken.CompletesById, REQUIREMENTS["ENQ-01"], tmp_path)


def test_an_instrument_that_has_no_check_of_a_requirement_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the suite has no check of ENQ-01 by timing"):
        findings(wholes.InMemory, REQUIREMENTS["ENQ-01"], tmp_path, instrument=Instrument.TIMING)
