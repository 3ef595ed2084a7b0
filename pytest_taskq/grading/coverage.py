"""How much of the team's own package a session ran, where pytest-cov measures it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_taskq.reports.run_report import CodeCoverage

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest
    from coverage import Coverage


def coverage_of(config: pytest.Config, module: str) -> CodeCoverage | None:
    """Return what was measured of the package that ``module`` belongs to; None if nothing of it was.

    pytest-cov has combined the data of all processes by then: its own, those of pytest-xdist, and those that the kit
    starts, where coverage is told to follow them (``patch = ["subprocess"]``).
    """
    package = module.partition(".")[0]
    measured = _measured(config)
    if measured is None:
        return None
    files = sorted(_of_package(measured.get_data().measured_files(), package))
    counts = [_counted(measured, name) for name in files]
    statements = sum(count for count, _ in counts)
    if not statements:
        return None
    return CodeCoverage(package=package, statements=statements, missed=sum(missed for _, missed in counts))


def _measured(config: pytest.Config) -> Coverage | None:
    """The data of a session that pytest-cov has ended; None without it, or under --no-cov."""
    controller = getattr(config.pluginmanager.get_plugin("_cov"), "cov_controller", None)
    found: Coverage | None = getattr(controller, "cov", None)
    return found


def _of_package(files: Iterable[str], package: str) -> Iterable[str]:
    spec = importlib.util.find_spec(package)
    places = [Path(one).resolve() for one in (spec.submodule_search_locations or [spec.origin or ""])] if spec else []
    return (name for name in files if any(Path(name).resolve().is_relative_to(place) for place in places))


def _counted(measured: Coverage, file: str) -> tuple[int, int]:
    """Return the statements of a file and how many of them did not run; none of a file that is gone."""
    from coverage.exceptions import CoverageException

    try:
        _, statements, _, missing, _ = measured.analysis2(file)
    except CoverageException:
        return 0, 0
    return len(statements), len(missing)
