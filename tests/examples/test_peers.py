"""Three queues that others wrote keep the verdicts that docs/peers.md gives them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PEERS = ROOT / "examples" / "peers"
LIBRARIES = {"huey": "huey", "litequeue": "litequeue", "persist_queue": "persist-queue"}
DECIDED = {"PASS", "KNOWN", "NOT OFFERED"}


@dataclass(frozen=True)
class Graded:
    """What a run of one example came to."""

    folder: Path
    exit_code: int
    output: str
    verdicts: dict[str, str]

    def having(self, verdict: str) -> set[str]:
        return {requirement for requirement, given in self.verdicts.items() if given == verdict}

    @property
    def expected(self) -> set[str]:
        return set(tomllib.loads((self.folder / "expected.toml").read_text(encoding="utf-8")))


def graded(name, place):
    """Grade one example as its README says, at smoke effort."""
    folder, library = PEERS / name, LIBRARIES[name]
    _require_pinned(folder, library)
    copy, report = place / folder.name, place / "report"
    shutil.copytree(folder, copy)  # a run leaves caches of pytest and Hypothesis behind
    run = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "--taskq-conformance", "--taskq-effort=smoke", "--taskq-seed=1"),
            *(f"--taskq-report={report}", "--color=no"),
            # How fast and how fair a library is depends on the machine too: that is for docs/benchmarks.md.
            *("--taskq-latency=off", "-k", "not LAT-05"),
        ],
        cwd=copy,
        env=_without_pytest_settings(),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    output = run.stdout + run.stderr
    found = report / "report.json"
    assert found.exists(), output
    requirements = json.loads(found.read_text(encoding="utf-8"))["requirements"]
    return Graded(folder, run.returncode, output, {one["id"]: one["verdict"] for one in requirements})


def _require_pinned(folder: Path, library: str) -> None:
    pinned = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    try:
        installed = version(library)
    except PackageNotFoundError:
        pytest.skip(f"{library} is not installed; the dependency group `peers` has it")
    assert pinned == [f"{library}=={installed}"], "the verdicts of docs/peers.md are those of the pinned version"


def _without_pytest_settings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}


# One test for each, since grading takes all of the time and processes that share the tests share no fixture.
@pytest.mark.parametrize("name", LIBRARIES)
def test_a_peer_fails_exactly_what_is_recorded_and_documented_and_nothing_is_left_undecided(name, tmp_path):
    found = graded(name, tmp_path)
    # `expected.toml` is the run's file of known failures: an entry that passes again fails the run as stale.
    assert found.exit_code == 0, found.output
    assert found.having("KNOWN") == found.expected, found.output
    hidden = {"SCH-01"}  # the order of a history that hands a task out twice (CLM-02) is nobody's order
    undecided = {one for one, verdict in found.verdicts.items() if verdict not in DECIDED}
    assert undecided <= hidden if "CLM-02" in found.expected else not undecided, found.output
    assert documented(LIBRARIES[name]) == found.expected


def documented(library):
    """Return the requirements whose failure docs/peers.md shows with its evidence."""
    page = (ROOT / "docs" / "peers.md").read_text(encoding="utf-8")
    _, _, section = page.partition(f"## {library} ")
    rows = [line for line in section.partition("\n## ")[0].splitlines() if line.startswith("| ")]
    return {line.split("|")[1].strip() for line in rows} - {"requirement"}
