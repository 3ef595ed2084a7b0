"""A run as a person reads it: one column for each worker, one line for each statement, what came back below it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from pytest_taskq.interleaving.events import KINDS, NOBODY, Event, letter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_taskq.contract.details import Schedule
    from pytest_taskq.interleaving.events import EventKind

WIDTH = 118
_GAP = " │ "
_MOST_LINES = 4  # of one statement
_MOST_NOTES = 4
_MOST_LINES_OF_A_NOTE = 2


def columns(events: Sequence[Event], actors: int, widest: int = WIDTH) -> list[str]:
    """Return the lines of a run; the number before a statement is the one that the schedule counts."""
    width = (widest - 4 - len(_GAP) * (actors - 1)) // actors
    lines = [_line("", [f"worker {letter(actor)}" for actor in range(actors)], width)]
    number = 0
    for event in events:
        number += event.kind == "statement"
        if event.actor == NOBODY:
            lines.append(f"    {'· ' + event.text + ' ·':^{widest - 4}}".rstrip())
            continue
        for place, text in enumerate(_cell(event, width, lines=1 if widest >= WIDTH else 2)):
            cells = [text if actor == event.actor else "" for actor in range(actors)]
            lines.append(_line(str(number) if place == 0 and event.kind == "statement" else "", cells, width))
    return lines


def narrower(evidence: str, schedule: Schedule, widest: int) -> str:
    """Return an evidence with the columns of its schedule laid out anew for ``widest``; as it is if it has none."""
    events = [
        Event(actor=one["worker"], kind=_kind(one["kind"]), text=one["text"], notes=[*one["notes"]])
        for one in schedule["moments"]
    ]
    actors = len(schedule["workers"])
    return evidence.replace("\n".join(columns(events, actors)), "\n".join(columns(events, actors, widest)))


def _kind(name: str) -> EventKind:
    return next((one for one in KINDS if one == name), "aside")


def _line(number: str, cells: Sequence[str], width: int) -> str:
    return (f"{number:>3} " + _GAP.join(f"{cell:<{width}}" for cell in cells)).rstrip()


def _cell(event: Event, width: int, lines: int) -> Iterator[str]:
    """Yield the lines of an event; ``lines`` is how many times more than usual it may have, for narrow columns."""
    indent = "" if event.kind in ("call", "return", "death") else "  "
    yield from _wrapped(event.text, width, indent, lines * _MOST_LINES)
    for note in event.notes[:_MOST_NOTES]:
        yield from _wrapped(note, width, indent + "  ", lines * _MOST_LINES_OF_A_NOTE)
    if len(event.notes) > _MOST_NOTES:
        yield f"{indent}  … {len(event.notes) - _MOST_NOTES} rows more"


def _wrapped(text: str, width: int, indent: str, most: int) -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent=indent, subsequent_indent=indent + "  ", max_lines=most, placeholder=" …"
    )
