"""Programs at random are valid, repeat under their seed, and every scenario is about its requirement."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from pytest_taskq.contract.requirements import by_instrument
from pytest_taskq.instruments.budget import Budget
from pytest_taskq.model.calls import ClaimNext, Pass, method_of
from pytest_taskq.model.generation import programs
from pytest_taskq.model.scenarios import SCENARIOS


def test_every_requirement_of_the_model_has_scenarios_and_no_other() -> None:
    assert set(SCENARIOS) == {one.id for one in by_instrument("m")}
    assert all(SCENARIOS.values())


@pytest.mark.parametrize("requirement", ["ENQ-01", "CLM-01", "SCH-01", "MNT-01"])
def test_generated_programs_call_only_what_is_offered(requirement: str) -> None:
    offered = {"enqueue", "claim_task"}

    @settings(max_examples=30, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(programs(requirement, offered.__contains__, 12))
    def check(program) -> None:
        assert len(program) <= 12
        assert {method_of(call) for call in program} <= offered | {None}

    check()


def test_a_claim_is_one_of_three_methods() -> None:
    assert [method_of(one) for one in (ClaimNext(), ClaimNext(n=2), Pass())] == ["claim_task", "claim_many", None]


def test_each_requirement_has_a_seed_of_its_own_that_repeats() -> None:
    assert Budget("pr", 7).seed_for("ENQ-01") == Budget("smoke", 7).seed_for("ENQ-01")
    assert Budget("pr", 7).seed_for("ENQ-01") != Budget("pr", 7).seed_for("ENQ-02")
    assert Budget("pr", 7).seed_for("ENQ-01") != Budget("pr", 8).seed_for("ENQ-01")
