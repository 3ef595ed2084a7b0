"""Each broken queue is failed by its requirement for the expected reason; correct code passes the same requirement."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from mutant_queues.broken import KILLS
from mutant_queues.engine import Engine, LazyEngine
from mutant_queues.keepers import Janitor, Observer
from mutant_queues.scheduler import Scheduler

from pytest_taskq.contract import Requirement, Verdict
from pytest_taskq.contract.requirements import REQUIREMENTS, by_instrument
from pytest_taskq.instruments.budget import Budget
from pytest_taskq.instruments.model import ModelJudge
from pytest_taskq.instruments.oracle import OracleJudge
from pytest_taskq.instruments.query_cost import QueryCostJudge
from pytest_taskq.reference_impl import Adapter
from pytest_taskq.subject import Bench, ContractViolation, Stores, Subject

JUDGES = {"m": ModelJudge(), "o": OracleJudge(), "p": QueryCostJudge()}
TWINS = (Engine, LazyEngine, Scheduler, Observer, Janitor)


def grade(adapter: type, requirement: Requirement, folder: Path) -> list[str]:
    """Return what each instrument that failed the requirement said."""
    subject = Subject(adapter.__name__, adapter)
    stores, said = Stores(subject, folder), []
    for letter, judge in JUDGES.items():
        if letter not in requirement.how:
            continue
        bench = Bench(subject, stores)
        try:
            finding = bench.run(lambda judge=judge, bench=bench: judge.judge(requirement, bench, Budget("smoke", 1)))
        except ContractViolation as violation:
            said.append(f"expected {violation.expected}; seen {violation.seen}")
        else:
            assert finding.verdict is Verdict.PASS
    return said


@pytest.mark.parametrize(("name", "broken", "reason"), KILLS, ids=[f"{name}-{one.__name__}" for name, one, _ in KILLS])
def test_a_broken_queue_is_failed_by_its_requirement_for_its_reason(
    name: str, broken: type, reason: str, tmp_path: Path
) -> None:
    said = grade(broken, REQUIREMENTS[name], tmp_path)
    assert said, f"{broken.__name__} survived {name}"
    assert any(re.search(reason, text) for text in said), said


@pytest.mark.parametrize("name", sorted({name for name, _, _ in KILLS}))
def test_the_reference_passes_what_kills_the_broken_ones(name: str, tmp_path: Path) -> None:
    assert grade(Adapter, REQUIREMENTS[name], tmp_path) == []


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("letter", ["m", "o"])
def test_code_written_another_way_is_never_failed(twin: type, letter: str, tmp_path: Path) -> None:
    subject = Subject(twin.__name__, twin)
    graded = [one for one in by_instrument(letter) if subject.graded(one) and not subject.not_offered(one)]
    assert graded
    failed = {one.id: said for one in graded if (said := grade(twin, one, tmp_path))}
    assert failed == {}
