"""What a run tells GitHub Actions, if it runs there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_taskq.grading.longrepr import place_in_adapter
from pytest_taskq.reports.github import Place, annotation_lines, step_summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_taskq.grading.run import ConformanceRun
    from pytest_taskq.options import Settings
    from pytest_taskq.reports.run_report import RequirementReport, RunReport


def is_wanted(settings: Settings) -> bool:
    """Whether the run is a step of GitHub Actions, or is to speak as if it were."""
    return settings.github or os.environ.get("GITHUB_ACTIONS") == "true"


def commands(run: ConformanceRun, report: RunReport) -> list[str]:
    """Return the annotations, each a line of its own for standard output."""

    def place_of(one: RequirementReport) -> Place | None:
        path, line = place_in_adapter(run.subject, one.requirement.grades)
        return in_repository(Path(path), line) if Path(path).is_file() else None

    return [*annotation_lines(report, place_of)]


def in_repository(path: Path, line: int) -> Place | None:
    """Return the place relative to the root of its repository; None for a file that lies in none."""
    path = path.resolve()
    workspace = os.environ.get("GITHUB_WORKSPACE")
    roots = [folder for folder in path.parents if (folder / ".git").exists()][:1]
    roots += [Path(workspace).resolve()] if workspace else []
    installed = "site-packages" in path.parts  # an environment inside the repository is not the team's
    root = next((root for root in roots if path.is_relative_to(root) and not installed), None)
    return Place(path.relative_to(root).as_posix(), line) if root else None


def add_summary(report: RunReport, reasons: Sequence[str]) -> str | None:
    """Append to the summary of the step; return why that was not possible, None if it was or there is no summary."""
    place = os.environ.get("GITHUB_STEP_SUMMARY")
    if not place:
        return None
    try:
        with Path(place).open("a", encoding="utf-8", newline="\n") as file:
            file.write(f"{step_summary(report, reasons)}\n")
    except OSError as error:
        return f"the summary of the step cannot be written to {place}: {error.strerror or error}"
    return None
