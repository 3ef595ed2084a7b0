"""What `taskq explain` shows as broken is failed by that requirement, and what it shows as corrected passes it."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest
from grading import findings

from pytest_taskq import Promises, QueueAdapter
from pytest_taskq.contract import Finding, Instrument, Verdict, combine
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.contract.snippets import SNIPPETS
from pytest_taskq.grading.suite import shipped_checks
from pytest_taskq.reference_impl import Task

# Histories are recorded by other processes, which cannot import a class that a test makes.
ELSEWHERE = {Instrument.HISTORY, Instrument.TIMING, Instrument.CRASH_POINTS}


def adapter_of(source: str) -> type[Any]:
    names: dict[str, Any] = {
        "QueueAdapter": QueueAdapter,
        "Promises": Promises,
        "Task": Task,
        "json": json,
        "math": math,
        "random": random,
    }
    exec(f"class Shown(QueueAdapter):\n{indent(source, '    ')}", names)  # noqa: S102 - a text of the package
    found: type[Any] = names["Shown"]
    return found


def judged(source: str, name: str, folder: Path) -> list[Finding]:
    """Return the findings up to the first FAIL, those of instruments that are soon done first."""
    instruments = {check.instrument for check in shipped_checks() if check.requirement == name} - ELSEWHERE
    adapter, one = adapter_of(source), REQUIREMENTS[name]
    found: list[Finding] = []
    for instrument in sorted(instruments, key=lambda each: each is Instrument.INTERLEAVINGS):
        found += findings(adapter, one, folder, instrument=instrument)
        if combine(found) is Verdict.FAIL:
            break
    return found


@pytest.mark.parametrize("name", SNIPPETS)
def test_what_is_shown_as_broken_is_failed_and_what_is_shown_as_corrected_passes(name: str, tmp_path: Path) -> None:
    for source, verdict in ((SNIPPETS[name].broken, Verdict.FAIL), (SNIPPETS[name].corrected, Verdict.PASS)):
        found = judged(source, name, tmp_path)
        said = [f"{one.instrument} {one.verdict}: {one.reason}" for one in found]
        assert combine(found) is verdict, said
