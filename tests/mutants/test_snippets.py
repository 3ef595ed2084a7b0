"""What `taskq explain` shows as broken is failed by that requirement, and what it shows as corrected passes it."""

from __future__ import annotations

import math
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest
from grading import findings

from pytest_taskq import QueueAdapter
from pytest_taskq.contract import Finding, Instrument, Verdict, combine
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.contract.snippets import SNIPPETS
from pytest_taskq.grading.suite import shipped_checks

# Histories are recorded by other processes, which cannot import a class that a test makes.
ELSEWHERE = {Instrument.HISTORY, Instrument.TIMING, Instrument.CRASH_POINTS}


def adapter_of(source: str) -> type[Any]:
    names: dict[str, Any] = {"QueueAdapter": QueueAdapter, "math": math}
    exec(f"class Shown(QueueAdapter):\n{indent(source, '    ')}", names)  # noqa: S102 - a text of the package
    found: type[Any] = names["Shown"]
    return found


def judged(source: str, name: str, folder: Path) -> list[Finding]:
    instruments = {check.instrument for check in shipped_checks() if check.requirement == name} - ELSEWHERE
    adapter, one = adapter_of(source), REQUIREMENTS[name]
    return [found for each in sorted(instruments) for found in findings(adapter, one, folder, instrument=each)]


@pytest.mark.parametrize("name", SNIPPETS)
def test_what_is_shown_as_broken_is_failed_and_what_is_shown_as_corrected_passes(name: str, tmp_path: Path) -> None:
    for source, verdict in ((SNIPPETS[name].broken, Verdict.FAIL), (SNIPPETS[name].corrected, Verdict.PASS)):
        found = judged(source, name, tmp_path)
        said = [f"{one.instrument} {one.verdict}: {one.reason}" for one in found]
        assert combine(found) is verdict, said
