"""Programs at random are valid, repeat under their seed, and every scenario is about its requirement."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, Phase, find, given, seed, settings

from pytest_taskq.contract.requirements import by_instrument
from pytest_taskq.instruments.budget import Budget
from pytest_taskq.model.calls import ClaimNext, Enqueue, Pass, Program, Renew, method_of
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


def drawn(requirement: str, count: int = 100) -> list[Program]:
    found: list[Program] = []

    @seed(1)
    @settings(max_examples=count, database=None, deadline=None, phases=[Phase.generate])
    @given(programs(requirement, lambda _: True, 12))
    def draw(program: Program) -> None:
        found.append(program)

    draw()
    return found


def test_most_generated_programs_use_their_length() -> None:
    lengths = [len(program) for program in drawn("FIN-02")]
    assert sum(length >= 9 for length in lengths) > 0.8 * len(lengths)
    assert max(lengths) == 12


def test_programs_begin_with_tasks_and_hold_more_of_what_the_requirement_is_about() -> None:
    begun = [program for program in drawn("LSE-02") if program]
    assert sum(isinstance(program[0], Enqueue) for program in begun) > 0.9 * len(begun)
    renewals = {
        requirement: sum(isinstance(call, Renew) for program in drawn(requirement) for call in program)
        for requirement in ("LSE-02", "FIN-02", "MNT-01")
    }
    assert renewals["LSE-02"] > 1.3 * renewals["FIN-02"] > renewals["MNT-01"] == 0


def test_a_failing_program_becomes_as_short_as_what_fails() -> None:
    def fails(program: Program) -> bool:
        kinds = [type(call) for call in program]
        return Renew in kinds and ClaimNext in kinds[: kinds.index(Renew)]

    shortest = find(
        programs("LSE-02", lambda _: True, 25),
        fails,
        random=Random(1),  # noqa: S311 - the same programs every time
        settings=settings(max_examples=500, database=None),
    )
    assert [type(call) for call in shortest] == [ClaimNext, Renew]


def test_a_claim_is_one_of_three_methods() -> None:
    assert [method_of(one) for one in (ClaimNext(), ClaimNext(n=2), Pass())] == ["claim_task", "claim_many", None]


def test_each_requirement_has_a_seed_of_its_own_that_repeats() -> None:
    assert Budget("pr", 7).seed_for("ENQ-01") == Budget("smoke", 7).seed_for("ENQ-01")
    assert Budget("pr", 7).seed_for("ENQ-01") != Budget("pr", 7).seed_for("ENQ-02")
    assert Budget("pr", 7).seed_for("ENQ-01") != Budget("pr", 8).seed_for("ENQ-01")
