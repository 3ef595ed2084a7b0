"""What is built is what is in the checkout, and it works in an empty project of another name."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHIPPED = ("pytest_taskq", "conformance", "reference_impl")


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a wheel from an sdist of the checkout."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    built = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return out


def sources() -> set[str]:
    files = (path for folder in SHIPPED for path in (ROOT / folder).rglob("*") if path.is_file())
    return {
        path.relative_to(ROOT).as_posix()
        for path in files
        if "__pycache__" not in path.parts and path.name != "ruff.toml"
    }


def in_wheel(path: str) -> str:
    return path if path.startswith("pytest_taskq/") else f"pytest_taskq/{path}"


def test_the_wheel_holds_every_source_file_under_one_name(distributions: Path) -> None:
    (wheel,) = distributions.glob("*.whl")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == {in_wheel(path) for path in sources()}


def test_the_sdist_holds_every_source_file(distributions: Path) -> None:
    (sdist,) = distributions.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert sources() <= names


def test_the_wheel_grades_an_adapter_in_an_empty_project(distributions: Path, tmp_path: Path) -> None:
    (wheel,) = distributions.glob("*.whl")
    site, project = tmp_path / "site", tmp_path / "another-name"
    zipfile.ZipFile(wheel).extractall(site)  # noqa: S202 - built from this checkout
    project.mkdir()
    (project / "theirs.py").write_text(
        "from pytest_taskq import QueueAdapter\n\n\n"
        "class Adapter(QueueAdapter):\n"
        "    def cancel_task(self, task_id):\n"
        "        return self.reference.cancel_task(task_id)\n"
    )
    where = "import pytest_taskq, pytest_taskq.conformance as c; print(pytest_taskq.__file__); print(c.__file__)"
    environment = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{project}"}
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_ADDOPTS", "PYTEST_TASKQ_ADAPTER"):
        environment.pop(name, None)
    found = subprocess.run(
        [sys.executable, "-c", where], capture_output=True, text=True, cwd=project, env=environment, check=True
    )
    assert all(Path(line).is_relative_to(site) for line in found.stdout.split())
    graded = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "--taskq-conformance",
            "--taskq-adapter=theirs:Adapter",
            "--taskq-effort=smoke",
        ],
        capture_output=True,
        text=True,
        cwd=project,
        env=environment,
        timeout=300,
        check=False,
    )
    assert graded.returncode == 0, graded.stdout + graded.stderr
    assert re.search(r"^MUST ([1-9]\d*)/\1\b", graded.stdout, re.MULTILINE), graded.stdout
