"""What `taskq explain` shows as broken is failed by that requirement, and what it shows as corrected passes it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from grading import findings

from pytest_taskq.contract import Finding, Instrument, Verdict, combine
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.contract.snippets import illustrated, module_of
from pytest_taskq.grading.suite import shipped_checks

# The cheap ones first; the later ones judge only where nothing before them fails what is broken.
CHEAP = (Instrument.DIRECT_EXAMPLE, Instrument.QUERY_COST, Instrument.ORACLE, Instrument.MODEL, Instrument.STATISTICS)
DEAR = (Instrument.INTERLEAVINGS, Instrument.CRASH_POINTS, Instrument.HISTORY, Instrument.TIMING)
# What takes many seconds. Of these test_snippets_by_example and test_snippets_by_the_clock show the difference by other
# means.
SLOW = ("CLM-03", "ENQ-09", "INF-09", "LAT-04", "LAT-05", "LAT-06", "OBS-04")


def adapters_of(name: str) -> tuple[type[Any], type[Any]]:
    shown = import_module(f"pytest_taskq.contract.snippets.{module_of(name)}")
    return shown.Broken, shown.Corrected


def said(found: list[Finding]) -> list[str]:
    return [f"{one.instrument} {one.verdict}: {one.reason}" for one in found]


def judged_by(name: str) -> list[Instrument]:
    """Return the instruments that judge a requirement, cheap ones first."""
    judging = {check.instrument for check in shipped_checks() if check.requirement == name}
    return [one for one in (*CHEAP, *DEAR) if one in judging]


def graded(name: str, folder: Path) -> Instrument:
    """Return the first instrument that fails what is broken; it and the cheap ones pass what is corrected.

    What is corrected is timed in the soak alone: it takes the longer, the more others work on the machine.
    """
    broken, corrected = adapters_of(name)
    survived: list[str] = []
    for failing in judged_by(name):
        found = findings(broken, REQUIREMENTS[name], folder, instrument=failing)
        if combine(found) is Verdict.FAIL:
            break
        survived += said(found)
    else:
        pytest.fail(f"what is broken survives {name}: {survived}")
    for instrument in judged_by(name):
        if instrument in CHEAP or instrument is failing is not Instrument.TIMING:
            found = findings(corrected, REQUIREMENTS[name], folder, instrument=instrument)
            assert combine(found) is Verdict.PASS, said(found)
    return failing


@pytest.mark.parametrize("name", sorted(illustrated() - set(SLOW)))
def test_what_is_shown_as_broken_is_failed_and_what_is_shown_as_corrected_passes(name: str, tmp_path: Path) -> None:
    graded(name, tmp_path)
