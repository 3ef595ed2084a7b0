"""A death, for the reader: the calls before it, the statements of the call, and where it struck."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_taskq.faults.sweep import Recording

DIES = "===> the process dies here"
_LONGEST = 110
_LONGEST_VALUES = 60
_AROUND = 12


def statement_line(sql: str, parameters: object) -> str:
    """Return a statement and its parameters in one line, both cut at their ends."""
    values = repr(parameters) if parameters else ""
    return " ".join(filter(None, (_cut(" ".join(sql.split()), _LONGEST), _cut(values, _LONGEST_VALUES))))


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 2]} …"


def death_lines(recording: Recording, number: int) -> list[str]:
    """Return the calls and statements with an arrow at the boundary where the process died."""
    head = f"then {recording.outcome.call}, statement by statement:"
    arrow = DIES if number < len(recording.statements) else f"{DIES}, the call having returned"
    return [*recording.lines, head, *arrowed(recording.statements, number, arrow)]


def arrowed(statements: Sequence[str], number: int, arrow: str = DIES) -> list[str]:
    """Return numbered statements with an arrow before ``number``; far from it they are left out."""
    lines = []
    for index, text in enumerate(statements):
        if index == number:
            lines.append(arrow)
        if abs(index - number) <= _AROUND:
            lines.append(f"  {index + 1:>3}  {text}")
    return lines if number < len(statements) else [*lines, arrow]
