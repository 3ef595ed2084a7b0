"""The calls of a violation as data: numbered calls with their outcomes, statements of one, and where it died."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pytest_taskq.contract.details import CallLine, Violation
from pytest_taskq.faults.evidence import DIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_taskq.subject.violation import ContractViolation

_NUMBERED = re.compile(r" *(?P<number>\d+)(?P<dot>\.?) {1,2}(?P<text>.*)", re.DOTALL)
_MOST = 400


def violation_details(violation: ContractViolation) -> dict[str, Any]:
    """Return what was expected and seen, and the calls if there are any."""
    details: dict[str, Any] = {"violation": Violation(expected=violation.expected, seen=violation.seen)}
    if violation.calls:
        details["calls"] = [*_shown(violation.calls)]
    return details


def _shown(lines: Iterable[str]) -> Iterator[CallLine]:
    """Yield the lines; of very many the last ones, which come to the breach."""
    lines = list(lines)
    left_out = max(len(lines) - _MOST, 0)
    if left_out:
        yield CallLine(kind="note", number=None, text=f"… {left_out} lines before", outcome="")
    yield from map(call_line, lines[left_out:])


def call_line(line: str) -> CallLine:
    """Return a line of ``Transcript.lines`` or of ``faults.evidence`` taken apart; any other is a note."""
    if line.startswith(DIES):
        return CallLine(kind="death", number=None, text=line.removeprefix("===> "), outcome="")
    found = _NUMBERED.fullmatch(line)
    if found is None:
        return CallLine(kind="note", number=None, text=line.strip(), outcome="")
    kind = "call" if found["dot"] else "statement"
    text, _, outcome = found["text"].partition("  -> ") if found["dot"] else (found["text"], "", "")
    return CallLine(kind=kind, number=int(found["number"]), text=text.strip(), outcome=outcome)
