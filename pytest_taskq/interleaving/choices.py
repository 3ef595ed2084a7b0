"""A schedule is the list of what was chosen at each step; as text it is a token that replays it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_ACTORS = 6
_RUN, _DIE, _JUMP = "abcdef", "ABCDEF", "t"
_PART = re.compile(rf"([{_RUN}{_DIE}{_JUMP}])(\d*)")


@dataclass(frozen=True, slots=True)
class Choice:
    """What happens next: an actor runs to its next statement, an actor dies before it, or time passes."""

    kind: Literal["run", "die", "jump"]
    actor: int = 0

    @property
    def letter(self) -> str:
        """The choice in a token: a, b, … runs; A, B, … dies; t passes time."""
        return _JUMP if self.kind == "jump" else (_RUN if self.kind == "run" else _DIE)[self.actor]


Schedule = tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """What ``--taskq-replay`` takes: requirement, scenario and schedule, as ``CLM-02.last-task.a3b5a2``.

    It counts statements and nothing else, so that any version of Python replays it.
    """

    requirement: str
    scenario: str
    schedule: Schedule

    def __str__(self) -> str:
        return f"{self.requirement}.{self.scenario}.{encoded(self.schedule)}"

    @classmethod
    def parse(cls, text: str) -> Token:
        """Return the token that ``text`` is. Raises ValueError saying what is wrong."""
        parts = text.split(".")
        if len(parts) != 3:  # noqa: PLR2004 - the three fields
            raise ValueError(
                f"{text!r} is no token: it has the form REQUIREMENT.scenario.choices, as a failure shows it"
            )
        requirement, scenario, choices = parts
        return cls(requirement, scenario, decoded(choices))


def encoded(schedule: Sequence[Choice]) -> str:
    """Return the choices, each run of equal ones as its letter and its length."""
    runs = ((letter, len(list(same))) for letter, same in groupby(choice.letter for choice in schedule))
    return "".join(letter + (str(count) if count > 1 else "") for letter, count in runs)


def decoded(text: str) -> Schedule:
    """Return the schedule of an encoded one. Raises ValueError for anything else."""
    if not re.fullmatch(f"(?:{_PART.pattern})*", text):
        raise ValueError(f"{text!r} is no list of choices: letters {_RUN}, {_DIE} and {_JUMP}, each with a count")
    return tuple(choice for letter, count in _PART.findall(text) for choice in (_choice(letter),) * int(count or 1))


def _choice(letter: str) -> Choice:
    if letter == _JUMP:
        return Choice("jump")
    return Choice("run", _RUN.index(letter)) if letter in _RUN else Choice("die", _DIE.index(letter))
