"""pytest-cov measures the team's package, in the processes of a history too."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

ADAPTER = """
import sys
from pytest_taskq import QueueAdapter


class Adapter(QueueAdapter):
    def complete_task(self, task, worker_id):
        if sys.argv[0] == "-c":  # a process of a history
            return self.reference.complete_task(task, worker_id)
        return self.reference.complete_task(task, worker_id)
"""
SETTINGS = """
[pytest]
pythonpath = .
taskq_adapter = coveredmill.adapter:Adapter
"""


@pytest.fixture(autouse=True)
def processes_are_followed() -> None:
    """Coverage is started by a .pth file, which only a folder that Python takes for site-packages may have."""
    started = subprocess.run(
        [sys.executable, "-c", "import sys; sys.exit('coverage' not in sys.modules)"],
        env={**os.environ, "COVERAGE_PROCESS_START": os.devnull},
        check=False,
    )
    if started.returncode:
        pytest.skip("coverage does not start in processes here: no site-packages in use has its .pth file")


@pytest.fixture
def repository(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeini(SETTINGS)
    pytester.mkpydir("coveredmill")
    (pytester.path / "coveredmill" / "adapter.py").write_text(ADAPTER, encoding="utf-8")
    (pytester.path / ".coveragerc").write_text("[run]\npatch = subprocess\n", encoding="utf-8")
    return pytester


def test_the_processes_of_a_history_count(repository: pytest.Pytester) -> None:
    run = repository.runpytest_subprocess(
        *("--taskq-conformance", "--taskq-effort=smoke", "--taskq-report=report", "-m", "taskq"),
        *("-k", "CLM-03 or FIN-03", "--cov=coveredmill", "--cov-report="),
    )
    assert run.ret == 0, run.outlines
    run.stdout.fnmatch_lines(["coverage of coveredmill: 100 % (target 80 %)"])
    report = json.loads((repository.path / "report" / "report.json").read_text(encoding="utf-8"))
    assert report["coverage"]["missed"] == 0
