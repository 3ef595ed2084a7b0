"""The catalogue of broken queues is whole and says what is so, and the package's data says what the catalogue says."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from matrix_pages import kills_module
from mutant_queues.registry import WAITING, Mutant, Twin, adapter_of, breaks, catalogue, name_of

from pytest_taskq import QueueAdapter
from pytest_taskq.contract import Level
from pytest_taskq.contract import kills as package_data
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.grading.suite import shipped_checks
from pytest_taskq.reference_impl import Adapter
from pytest_taskq.subject import Subject

MUTANTS, TWINS = catalogue().mutants, catalogue().twins
JUDGED = {(check.requirement, check.instrument) for check in shipped_checks()}
REGENERATE = "run `make kill-matrix`, which writes pytest_taskq/contract/kills.py"

of_each_mutant = pytest.mark.parametrize(
    "mutant", MUTANTS, ids=[f"{one.requirement}-{one.name}-{one.instrument}" for one in MUTANTS]
)


def test_every_requirement_that_the_suite_judges_has_a_broken_queue_or_waits_for_one() -> None:
    without = {name for name, _ in JUDGED} - {one.requirement for one in MUTANTS}
    assert without - WAITING == set(), "give them a broken queue: nothing shows that their checks can fail"
    assert WAITING - without == set(), "they wait no more: take them out of WAITING"


def test_the_package_knows_of_each_broken_queue() -> None:
    assert catalogue().kills == package_data.KILLS, REGENERATE
    assert Path(package_data.__file__).read_text(encoding="utf-8") == kills_module(catalogue().kills), REGENERATE
    assert REQUIREMENTS["FIN-02"].mutants["CompletesById"] == "Completes by id alone, also after the lease was lost"


@of_each_mutant
def test_a_broken_queue_is_loaded_as_a_teams_adapter_and_offers_what_it_breaks(mutant: Mutant) -> None:
    requirement = REQUIREMENTS[mutant.requirement]
    for name in (mutant.adapter, mutant.twin):
        subject = Subject.load(name)
        assert subject.graded(requirement)
        assert subject.not_offered(requirement) is None


@of_each_mutant
def test_an_expectation_is_one_that_the_suite_can_meet_and_miss(mutant: Mutant) -> None:
    assert (mutant.requirement, mutant.instrument) in JUDGED
    assert mutant.instrument in REQUIREMENTS[mutant.requirement].instruments
    assert not re.search(mutant.reason, ""), f"{mutant.reason!r} is found in any text"
    assert mutant.does, f"{mutant.adapter} needs a docstring: its first line is shown by `taskq explain`"


@of_each_mutant
def test_a_broken_queue_and_its_twin_are_two(mutant: Mutant) -> None:
    assert mutant.twin not in {one.adapter for one in MUTANTS}
    assert mutant.adapter not in {one.adapter for one in TWINS}


def test_names_and_expectations_are_given_once() -> None:
    named = {(one.name, one.adapter) for one in MUTANTS}
    assert max(Counter(name for name, _ in named).values()) == 1
    assert max(Counter((one.adapter, one.requirement, one.instrument) for one in MUTANTS).values()) == 1


@pytest.mark.parametrize("twin", TWINS, ids=lambda one: one.adapter)
def test_a_correct_queue_falls_short_of_a_should_alone(twin: Twin) -> None:
    subject = Subject.load(twin.adapter)
    for name, why in twin.short_of:
        assert REQUIREMENTS[name].level is Level.SHOULD
        assert subject.graded(REQUIREMENTS[name])
        assert why


class TestTwinOf:
    @pytest.fixture(autouse=True)
    def _registered(self, monkeypatch: pytest.MonkeyPatch) -> list[Mutant]:
        mutants: list[Mutant] = []
        monkeypatch.setattr("mutant_queues.registry.MUTANTS", mutants)
        self.mutants = mutants
        return mutants

    def test_it_is_the_base_class_that_is_graded(self) -> None:
        class Correct(QueueAdapter):
            def cancel_task(self, task_id):
                return self.reference.cancel_task(task_id)

        @breaks("ENQ-10", MUTANTS[0].instrument, "x")
        @breaks("OBS-01", MUTANTS[0].instrument, "x")
        class Broken(Correct):
            def cancel_task(self, task_id):
                return True

        assert {one.requirement: one.twin for one in self.mutants} == {
            "ENQ-10": name_of(Correct),
            "OBS-01": name_of(Adapter),
        }

    def test_it_is_the_one_that_is_given(self) -> None:
        breaks("ENQ-10", MUTANTS[0].instrument, "x", twin=Adapter)(QueueAdapter)
        assert [one.twin for one in self.mutants] == [name_of(Adapter)]
        assert adapter_of(name_of(Adapter)) is Adapter
