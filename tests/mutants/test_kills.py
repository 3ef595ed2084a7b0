"""Each broken queue is failed by its requirement for the expected reason; correct code passes the same requirement."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from grading import findings
from mutant_queues.registry import Mutant, adapter_of, catalogue

from pytest_taskq.contract import Instrument, Verdict, combine
from pytest_taskq.contract.requirements import REQUIREMENTS

MUTANTS = catalogue().mutants
# Each once, however many broken queues were made of it.
CORRECT = sorted({(one.twin, one.requirement) for one in MUTANTS})

TIMED = {(one.requirement, one.twin) for one in MUTANTS if one.instrument is Instrument.TIMING}


@pytest.mark.parametrize("mutant", MUTANTS, ids=[f"{one.requirement}-{one.name}-{one.instrument}" for one in MUTANTS])
def test_a_broken_queue_is_failed_by_its_requirement_and_instrument_for_its_reason(
    mutant: Mutant, tmp_path: Path
) -> None:
    found = findings(
        adapter_of(mutant.adapter), REQUIREMENTS[mutant.requirement], tmp_path, instrument=mutant.instrument
    )
    said = [f"{one.verdict}: {one.reason}\n{one.evidence}" for one in found]
    failed = [text for one, text in zip(found, said, strict=True) if one.verdict is Verdict.FAIL]
    assert failed, f"{mutant.name} survived {mutant.requirement}: {said}"
    assert any(re.search(mutant.reason, text) for text in failed), f"none says {mutant.reason!r}: {said}"


@pytest.mark.parametrize(
    ("twin", "requirement"), CORRECT, ids=[f"{name}-{twin.rpartition(':')[2]}" for twin, name in CORRECT]
)
def test_the_twin_passes_what_fails_the_broken_queue(twin: str, requirement: str, tmp_path: Path) -> None:
    found = findings(adapter_of(twin), REQUIREMENTS[requirement], tmp_path)
    # Whoever is timed on a machine where others work too may not be proved fast; it is never found slow.
    correct = {Verdict.PASS, Verdict.INCONCLUSIVE} if (requirement, twin) in TIMED else {Verdict.PASS}
    assert combine(found) in correct, [f"{one.verdict}: {one.reason}\n{one.evidence}" for one in found]
