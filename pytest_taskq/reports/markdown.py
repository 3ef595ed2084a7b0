"""Markdown that says what was meant: tables, texts of others as code, and pages that are not too long."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# GitHub refuses a comment of more than 65,536 characters; the rest is for what a bot puts around it.
MOST_CHARACTERS = 60_000
_LONGEST = 400


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table, and an empty one after it; a bar in a cell is escaped."""
    yield _cells(head)
    yield _cells(["---"] * len(head))
    yield from map(_cells, rows)
    yield ""


def _cells(cells: Iterable[str]) -> str:
    escaped = (cell.replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"


def code(text: str, longest: int = _LONGEST) -> str:
    """Return a text of unknown content in one line as code, where it is no markup, mention or reference."""
    line = " ".join(" ".join(map(_printable, text.split())).split())
    # A backslash before a bar would, in a table, escape itself and leave the bar to end the cell.
    line = re.sub(r"\\+(?=\|)", "", line)
    line = line if len(line) <= longest else f"{line[: longest - 1]}…"
    fence = "`" * (max(map(len, re.findall("`+", line)), default=0) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}" if line else ""


def _printable(word: str) -> str:
    """Return the word with a space for each character that is not shown; nearly all have none, and are not walked."""
    return word if word.isprintable() else "".join(one if one.isprintable() else " " for one in word)


def within(lines: Iterable[str], most: int = MOST_CHARACTERS) -> str:
    """Return the lines as a page of at most ``most`` characters, whole lines, and how many were left out."""
    page, left, room = [], 0, most - 80
    for line in lines:
        room -= len(line.encode("utf-16-le")) // 2 + 1  # as JavaScript counts
        if left or room < 0:
            left += 1
        else:
            page.append(line)
    if left:
        page += ["", f"… and {left} more lines, left out because a comment may not be longer."]
    return "\n".join(page).rstrip() + "\n"
