"""The worker repositories in ``examples/``: what teams copy must pass what they will be graded by."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
# What is timed beside other tests would be INCONCLUSIVE after a long look.
BRIEFLY = ("--taskq-effort=smoke", "--taskq-latency=off")
ROLES = ("client", "engine", "scheduling", "observability", "maintenance")


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """No option of the run that we are in."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COVERAGE"))}


def run_pytest(folder: Path, environment: dict[str, str], *options: str) -> None:
    """Run pytest as that team does, in its folder and with its configuration; it must succeed."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("role", ROLES)
def test_a_worker_repository_passes_its_own_tests_and_the_contract_of_its_role(
    role: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    folder = Path(
        shutil.copytree(EXAMPLES / role, tmp_path / role, ignore=shutil.ignore_patterns(".*_cache", ".hypothesis"))
    )

    # Both in one run, and in one process, as many as the tests around it are in.
    run_pytest(folder, environment, "--taskq-conformance", *BRIEFLY, "--taskq-report=report")

    report = json.loads((folder / "report" / "report.json").read_text(encoding="utf-8"))
    assert {name for name, code in report["roles"].items() if code == "graded"} == {role}
    verdicts = {(one["level"], one["id"]): one["verdict"] for one in report["requirements"]}
    assert ("MUST", "PASS") in {(level, verdict) for (level, _), verdict in verdicts.items()}
    assert not {key: verdict for key, verdict in verdicts.items() if verdict in {"FAIL", "NOT RUN"}}
