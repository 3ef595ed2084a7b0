"""The same on PostgreSQL: what is broken there is failed for its reason, and correct code passes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from grading import findings
from mutant_queues import by_keyword
from mutant_queues.on_postgres import ON_POSTGRES
from mutant_queues.registry import Mutant, adapter_of, name_of

from pytest_taskq.contract import Instrument, Verdict, combine
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.reference_impl import Adapter

psycopg = pytest.importorskip("psycopg")

CORRECT = sorted({(one.twin, one.requirement, one.instrument) for one in ON_POSTGRES})
SMALL = {(name, instrument) for twin, name, instrument in CORRECT if not adapter_of(twin).owned}
LONG = sorted(SMALL - {(name, instrument) for twin, name, instrument in CORRECT if twin == name_of(Adapter)})


@pytest.mark.parametrize("mutant", ON_POSTGRES, ids=[f"{one.requirement}-{one.name}" for one in ON_POSTGRES])
def test_a_broken_queue_is_failed_for_its_reason(mutant: Mutant, tmp_path: Path, postgres_server: str) -> None:
    requirement = REQUIREMENTS[mutant.requirement]
    found = findings(
        adapter_of(mutant.adapter), requirement, tmp_path, instrument=mutant.instrument, server=postgres_server
    )
    said = [f"{one.verdict}: {one.reason}\n{one.evidence}" for one in found]
    failed = [text for one, text in zip(found, said, strict=True) if one.verdict is Verdict.FAIL]
    assert failed, f"{mutant.name} survived {mutant.requirement}: {said}"
    assert any(re.search(mutant.reason, text) for text in failed), f"none says {mutant.reason!r}: {said}"


@pytest.mark.parametrize(
    ("twin", "requirement", "instrument"), CORRECT, ids=[f"{two}-{three}-{one[-20:]}" for one, two, three in CORRECT]
)
def test_the_twin_passes(twin: str, requirement: str, instrument: str, tmp_path: Path, postgres_server: str) -> None:
    found = findings(
        adapter_of(twin), REQUIREMENTS[requirement], tmp_path, instrument=instrument, server=postgres_server
    )
    assert combine(found) is Verdict.PASS, [f"{one.verdict}: {one.reason}\n{one.evidence}" for one in found]


@pytest.mark.soak
@pytest.mark.parametrize(("requirement", "instrument"), LONG, ids=[one for one, _ in LONG])
def test_the_reference_passes_too_where_a_smaller_twin_is_looked_at(
    requirement: str, instrument: Instrument, tmp_path: Path, postgres_server: str
) -> None:
    found = findings(Adapter, REQUIREMENTS[requirement], tmp_path, instrument=instrument, server=postgres_server)
    assert combine(found) is Verdict.PASS, [f"{one.verdict}: {one.reason}\n{one.evidence}" for one in found]


@pytest.mark.parametrize("correct", [Adapter, by_keyword.ClaimsByKeyword])
def test_a_snapshot_that_somebody_holds_makes_no_claim_cost_more(
    correct: type, tmp_path: Path, postgres_server: str
) -> None:
    """As long as it is held nothing that was deleted is vacuumed, wherever in the database it is."""
    with psycopg.connect(postgres_server) as holder:
        holder.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        holder.execute("SELECT count(*) FROM pg_class")
        found = findings(correct, REQUIREMENTS["INF-07"], tmp_path, server=postgres_server)
    assert combine(found) is Verdict.PASS, [one.evidence for one in found]
