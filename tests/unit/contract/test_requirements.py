"""The requirements are complete, consistent and readable."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pytest

from pytest_taskq.contract import METHODS, Instrument, Level, Requirement, Role
from pytest_taskq.contract import requirements as package
from pytest_taskq.contract.bugs import address_of
from pytest_taskq.contract.requirement import LETTERS
from pytest_taskq.contract.requirements import FEATURES, REQUIREMENTS, SECTIONS, by_instrument
from pytest_taskq.contract.requirements.durability import WRITING_METHODS

COUNTS = {
    "INF": 10,
    "ENQ": 13,
    "CLM": 12,
    "LSE": 5,
    "FIN": 9,
    "SCH": 8,
    "OBS": 4,
    "MNT": 7,
    "DUR": 2,
    "LAT": 7,
}
SHOULDS = {"LSE-05", "SCH-08", "OBS-04", "MNT-03", "LAT-06"}
ROLE_OF_PREFIX = {
    "INF": Role.INFRASTRUCTURE,
    "ENQ": Role.CLIENT,
    "CLM": Role.ENGINE,
    "LSE": Role.ENGINE,
    "FIN": Role.ENGINE,
    "SCH": Role.SCHEDULING,
    "OBS": Role.OBSERVABILITY,
    "MNT": Role.MAINTENANCE,
}

every_requirement = pytest.mark.parametrize("one", REQUIREMENTS.values(), ids=lambda one: one.id)


def prefix(one: Requirement) -> str:
    return one.id.split("-")[0]


def test_every_group_has_as_many_requirements_as_the_contract() -> None:
    assert Counter(prefix(one) for one in REQUIREMENTS.values()) == COUNTS


def test_ids_count_up_from_one_in_each_group_in_the_order_of_the_contract() -> None:
    expected = [f"{group}-{number:02}" for group, count in COUNTS.items() for number in range(1, count + 1)]
    assert list(REQUIREMENTS) == expected


def test_each_requirement_is_found_under_its_own_id() -> None:
    assert all(name == one.id for name, one in REQUIREMENTS.items())


def test_the_sections_hold_each_requirement_once() -> None:
    assert [one for section in SECTIONS.values() for one in section] == list(REQUIREMENTS.values())


def test_an_id_that_stands_for_two_requirements_is_refused() -> None:
    one = REQUIREMENTS["CLM-02"]
    with pytest.raises(ValueError, match="CLM-02 stands for two"):
        package._by_id((one, replace(one, text="Something else.")))


@pytest.mark.parametrize("change", [{"grades": ("claim",)}, {"needs": ("leasing",)}, {"how": "z"}], ids=str)
def test_a_method_feature_or_instrument_that_does_not_exist_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"CLM-02 names \w+, which is no method, feature or instrument"):
        package._by_id((replace(REQUIREMENTS["CLM-02"], **change),))


def test_exactly_the_marked_requirements_are_a_should() -> None:
    assert {one.id for one in REQUIREMENTS.values() if one.level is Level.SHOULD} == SHOULDS


@every_requirement
def test_it_grades_known_methods_each_once(one: Requirement) -> None:
    assert one.grades
    assert set(one.grades) <= set(METHODS)
    assert len(set(one.grades)) == len(one.grades)


@every_requirement
def test_it_needs_known_methods_or_features_each_once(one: Requirement) -> None:
    assert set(one.needs) <= set(FEATURES)
    assert len(set(one.needs)) == len(one.needs)


@every_requirement
def test_whoever_needs_an_option_of_enqueue_needs_enqueue(one: Requirement) -> None:
    if any(need.startswith("enqueue.") for need in one.needs):
        assert "enqueue" in one.needs


@every_requirement
def test_it_names_each_of_its_instruments_once(one: Requirement) -> None:
    assert one.how
    assert set(one.how) <= set(LETTERS)
    assert len(set(one.instruments)) == len(one.how)


@every_requirement
def test_its_role_is_that_of_its_section_or_of_the_first_method_it_grades(one: Requirement) -> None:
    assert one.role is ROLE_OF_PREFIX.get(prefix(one), METHODS[one.grades[0]].role)


@every_requirement
def test_its_sentences_end_with_a_full_stop(one: Requirement) -> None:
    assert one.text.endswith(".")
    assert one.why.endswith(".")


@every_requirement
def test_it_says_in_two_sentences_at_most_what_breaks_without_it(one: Requirement) -> None:
    sentences = re.findall(r"[.?!](?=\s|$)", one.why)
    assert 1 <= len(sentences) <= 2


@every_requirement
def test_it_names_two_to_four_things_to_look_at(one: Requirement) -> None:
    assert 2 <= len(one.look_at) <= 4
    assert all(len(point) > 10 and not point.endswith(".") for point in one.look_at)


@every_requirement
def test_its_texts_have_no_stray_spaces_and_only_ascii(one: Requirement) -> None:
    for text in (one.text, one.why, *one.look_at):
        assert text == " ".join(text.split())
        assert text.isascii()


@every_requirement
def test_its_quoted_code_is_closed(one: Requirement) -> None:
    assert all(text.count("`") % 2 == 0 for text in (one.text, one.why, *one.look_at))


@every_requirement
def test_its_real_bugs_are_cited_as_owner_repository_and_number(one: Requirement) -> None:
    assert all(map(address_of, one.bugs)), "each names a repository and a number"
    assert len(set(one.bugs)) == len(one.bugs)


@every_requirement
def test_an_id_that_it_mentions_exists(one: Requirement) -> None:
    mentioned = re.findall(r"\b[A-Z]{3}-\d\d\b", " ".join((one.text, one.why, *one.look_at)))
    assert set(mentioned) <= set(REQUIREMENTS)


def test_no_two_requirements_give_the_same_reason() -> None:
    assert len({one.why for one in REQUIREMENTS.values()}) == len(REQUIREMENTS)


def test_the_features_are_methods_their_arguments_and_four_of_the_queue() -> None:
    assert set(METHODS) < set(FEATURES)
    assert {"enqueue.delay_seconds", "fail_task.retry", "fail_task.error", "claim_many.n"} < set(FEATURES)
    others = [name for name in FEATURES if name.partition(".")[0] not in METHODS]
    assert others == ["leases", "capabilities", "worker_id", "shared schema"]
    assert len(set(FEATURES)) == len(FEATURES)


def test_the_writing_methods_are_all_but_the_optional_and_the_reading_ones() -> None:
    reading = {"open_database", "get_task", "queue_stats"}
    assert set(WRITING_METHODS) == {name for name, method in METHODS.items() if not method.optional} - reading


@pytest.mark.parametrize("letter", LETTERS)
def test_an_instrument_lists_what_it_judges_in_the_order_of_the_contract(letter: str) -> None:
    judged = by_instrument(letter)
    assert judged == tuple(one for one in REQUIREMENTS.values() if LETTERS[letter] in one.instruments)
    assert judged, "an instrument that judges nothing has no place in the contract"


def test_query_cost_judges_the_two_requirements_that_the_contract_says() -> None:
    assert [one.id for one in by_instrument("p")] == ["INF-07", "SCH-08"]


def test_a_letter_that_no_instrument_has_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'q'; the letters are m, i, c, h, o, x, p, s, t"):
        by_instrument("q")


def test_instruments_come_in_the_order_of_the_table() -> None:
    assert REQUIREMENTS["INF-05"].instruments == (Instrument.DIRECT_EXAMPLE, Instrument.MODEL)


@pytest.mark.parametrize("name", [name for name, method in METHODS.items()])
def test_every_method_of_an_adapter_is_graded_by_some_requirement(name: str) -> None:
    assert any(name in one.grades for one in REQUIREMENTS.values())
