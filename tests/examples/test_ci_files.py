"""The CI files in ``examples/ci``: valid by the published schemas, and their scripts do what they say."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

CI = Path(__file__).parents[2] / "examples" / "ci"
SCHEMAS = {
    "action.yml": "vendor.github-actions",
    "workflow.yml": "vendor.github-workflows",
    "gitlab-ci.yml": "vendor.gitlab-ci",
}
TEAM = """
from pytest_taskq import QueueAdapter


class Right(QueueAdapter):
    def cancel_task(self, task_id):
        return self.reference.cancel_task(task_id)


class Wrong(QueueAdapter):
    def cancel_task(self, task_id):
        return True
"""
NARROW = "-k ENQ-10 -p no:cacheprovider"


def content(name: str) -> dict[str, Any]:
    plain: dict[str, Any] = yaml.safe_load((CI / name).read_text(encoding="utf-8"))
    return plain


@pytest.mark.parametrize(("name", "schema"), SCHEMAS.items())
def test_a_file_is_valid_by_its_published_schema(name: str, schema: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(CI / name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflow_passes_only_what_the_action_takes() -> None:
    steps = content("workflow.yml")["jobs"]["contract"]["steps"]
    (used,) = (step for step in steps if step.get("uses", "").endswith("/taskq"))
    assert {*used["with"]} <= {*content("action.yml")["inputs"]}


def test_no_input_stands_in_a_script() -> None:
    assert not [step["name"] for step in content("action.yml")["runs"]["steps"] if "${{" in step["run"]]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "team.py").write_text(TEAM, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\npythonpath = ["."]\n', encoding="utf-8")
    return tmp_path


def run_bash(folder: Path, script: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    ours = ("PYTEST", "GITHUB", "COVERAGE")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=folder,
        env={**inherited, "PATH": path, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def run_step(folder: Path, step: dict[str, Any], inputs: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a step as GitHub does: its inputs come through its environment."""
    values = {name: one["default"] for name, one in content("action.yml")["inputs"].items()} | inputs
    expression = re.compile(r"\$\{\{ inputs\.([\w-]+) \}\}")
    variables = {name: expression.sub(lambda found: values[found[1]], text) for name, text in step["env"].items()}
    assert "${{" not in "".join(variables.values())
    return run_bash(folder, step["run"], variables)


def verdicts(path: Path) -> dict[str, str]:
    report = json.loads((path / "report.json").read_text(encoding="utf-8"))
    return {one["id"]: one["verdict"] for one in report["requirements"]}


def test_the_action_grades_in_both_passes_and_fails_where_the_adapter_does(repository: Path) -> None:
    parallel, timed = content("action.yml")["runs"]["steps"]
    inputs = {"adapter": "team:Right", "effort": "smoke", "arguments": NARROW}
    for step in (parallel, timed):
        done = run_step(repository, step, inputs)
        assert done.returncode == 0, done.stdout + done.stderr
    assert verdicts(repository / "taskq-report" / "parallel") == {"ENQ-10": "PASS"}
    assert (repository / "taskq-report" / "timed" / "report.json").is_file()
    done = run_step(repository, parallel, {**inputs, "adapter": "team:Wrong"})
    assert done.returncode == 1, done.stdout + done.stderr
    assert verdicts(repository / "taskq-report" / "parallel") == {"ENQ-10": "FAIL"}


def test_the_action_fails_if_too_few_are_graded_or_the_adapter_is_not_there(repository: Path) -> None:
    parallel, timed = content("action.yml")["runs"]["steps"]
    few = {"adapter": "team:Right", "effort": "smoke", "arguments": NARROW, "min-graded": "99"}
    assert run_step(repository, parallel, few).returncode == 1
    assert run_step(repository, timed, {**few, "adapter": "team:Nobody"}).returncode == 4


def test_the_job_of_gitlab_runs_and_fails_as_the_action_does(repository: Path) -> None:
    job = content("gitlab-ci.yml")["contract"]
    script = "\n".join(job["script"])
    given = {"TASKQ_EFFORT": "smoke", "TASKQ_MIN_GRADED": "1", "PYTEST_ADDOPTS": NARROW}
    done = run_bash(repository, script, {**job["variables"], **given, "PYTEST_TASKQ_ADAPTER": "team:Right"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert verdicts(repository / "taskq-report" / "parallel") == {"ENQ-10": "PASS"}
    done = run_bash(repository, script, {**job["variables"], **given, "PYTEST_TASKQ_ADAPTER": "team:Wrong"})
    assert done.returncode == 1, done.stdout + done.stderr
