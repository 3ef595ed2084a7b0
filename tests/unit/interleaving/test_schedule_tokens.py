from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_taskq.interleaving.choices import MOST_ACTORS, Choice, Token, decoded, encoded

ACTORS = st.integers(0, MOST_ACTORS - 1)
CHOICES = st.one_of(
    st.builds(Choice, st.sampled_from(["run", "die"]), ACTORS),
    st.just(Choice("jump")),
)
RUNS = st.lists(st.tuples(CHOICES, st.integers(1, 30)), max_size=12)
SCHEDULES = RUNS.map(lambda runs: tuple(choice for choice, count in runs for _ in range(count)))
NAMES = st.text("abcxyz0123456789-", min_size=1)


@given(SCHEDULES)
def test_what_is_encoded_is_decoded_to_the_same_schedule(schedule: tuple[Choice, ...]) -> None:
    assert decoded(encoded(schedule)) == schedule


@given(SCHEDULES, SCHEDULES)
def test_different_schedules_have_different_texts(one: tuple[Choice, ...], other: tuple[Choice, ...]) -> None:
    assert (encoded(one) == encoded(other)) is (one == other)


@given(NAMES, NAMES, SCHEDULES)
def test_a_token_is_read_back_as_it_was(requirement: str, scenario: str, schedule: tuple[Choice, ...]) -> None:
    token = Token(requirement, scenario, schedule)
    assert Token.parse(str(token)) == token


def test_runs_are_small_letters_deaths_are_capitals_and_time_is_t() -> None:
    a, b, death, jump = Choice("run", 0), Choice("run", 1), Choice("die", 1), Choice("jump")
    assert encoded([a, a, a, b, jump, a, death]) == "a3btaB"
    assert str(Token("CLM-02", "last-task", (a, a, b))) == "CLM-02.last-task.a2b"
    assert Token.parse("CLM-02.last-task.") == Token("CLM-02", "last-task", ())
    assert decoded("ab12") == (a, *[b] * 12)


@pytest.mark.parametrize("text", ["", "CLM-02", "CLM-02.last-task", "CLM-02.last.task.a3", "a3b2"])
def test_a_text_without_three_fields_is_no_token(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no token: it has the form REQUIREMENT\.scenario\.choices"):
        Token.parse(text)


@pytest.mark.parametrize("choices", ["3", "a3 b2", "g", "a-1", "a3,b2", "T", "aé", "a3\n"])
def test_other_characters_are_no_choices(choices: str) -> None:
    with pytest.raises(ValueError, match="is no list of choices"):
        Token.parse(f"CLM-02.last-task.{choices}")
