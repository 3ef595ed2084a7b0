"""Each broken queue is failed by its requirement for the expected reason.

That its correct twin passes the same requirement is looked at with the rest of the twin's row of the kill matrix, and
here where calls are timed. How fast a queue is can be told where nothing else runs, so those tests are run alone.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from grading import findings, subject_of
from kill_matrix import timed_adapters
from mutant_queues.registry import Mutant, adapter_of, catalogue

from pytest_taskq.contract import Instrument, Verdict, combine
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.grading.suite import shipped_checks

if TYPE_CHECKING:
    from _pytest.mark import ParameterSet

MUTANTS = catalogue().mutants

EXPECTED = {(one.requirement, one.twin) for one in MUTANTS if one.instrument is Instrument.TIMING}
# What a row of the kill matrix would time, too: it is timed here alone.
IN_ROWS = {
    (check.requirement, twin.adapter)
    for check in shipped_checks()
    for twin in catalogue().twins
    if check.instrument is Instrument.TIMING and check.requirement != "LAT-05"  # see test_kill_matrix.py
    if twin.adapter in timed_adapters() and subject_of(adapter_of(twin.adapter)).graded(REQUIREMENTS[check.requirement])
}
TIMED = sorted(EXPECTED | IN_ROWS)
# Compared with how long a writer waits elsewhere at the same time; if the machine has other work, that may be as long.
UNQUIET = frozenset({"OBS-04"})


def case(mutant: Mutant) -> ParameterSet:
    by_the_clock = mutant.instrument is Instrument.TIMING or mutant.requirement == "LAT-05"
    name = f"{mutant.requirement}-{mutant.name}-{mutant.instrument}"
    return pytest.param(mutant, id=name, marks=[pytest.mark.alone] if by_the_clock else [])


@pytest.mark.parametrize("mutant", [case(one) for one in MUTANTS])
def test_a_broken_queue_is_failed_by_its_requirement_and_instrument_for_its_reason(
    mutant: Mutant, tmp_path: Path
) -> None:
    found = findings(
        adapter_of(mutant.adapter), REQUIREMENTS[mutant.requirement], tmp_path, instrument=mutant.instrument
    )
    said = [f"{one.verdict}: {one.reason}\n{one.evidence}" for one in found]
    failed = [text for one, text in zip(found, said, strict=True) if one.verdict is Verdict.FAIL]
    if mutant.requirement in UNQUIET and not failed and {one.verdict for one in found} == {Verdict.INCONCLUSIVE}:
        pytest.skip(f"the machine has other work, and the verdict says so: {said}")
    assert failed, f"{mutant.name} survived {mutant.requirement}: {said}"
    assert any(re.search(mutant.reason, text) for text in failed), f"none says {mutant.reason!r}: {said}"


@pytest.mark.alone
@pytest.mark.parametrize(
    ("requirement", "twin"), TIMED, ids=[f"{name}-{twin.rpartition(':')[2]}" for name, twin in TIMED]
)
def test_a_correct_queue_is_never_found_slow(requirement: str, twin: str, tmp_path: Path) -> None:
    # Whoever is timed on a machine where others work too may not be proved fast.
    found = findings(adapter_of(twin), REQUIREMENTS[requirement], tmp_path, instrument=Instrument.TIMING)
    said = [f"{one.verdict}: {one.reason}\n{one.evidence}" for one in found]
    assert combine(found) in {Verdict.PASS, Verdict.INCONCLUSIVE}, said
