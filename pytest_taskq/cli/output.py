"""Lines on standard output: styled where a person reads them, bare where a program does."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# The text of a line and its style in rich's words; an empty style is plain.
Line = tuple[str, str]


def show(lines: Iterable[Line], *, wrapped: bool = False) -> None:
    """Print the lines; a terminal gets styles (no colours under NO_COLOR), and lines cut or wrapped to its width."""
    if sys.stdout.isatty():
        _show_styled(lines, wrapped=wrapped)
    else:
        sys.stdout.write("".join(f"{text}\n" for text, _ in lines))


def _show_styled(lines: Iterable[Line], *, wrapped: bool) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for text, style in lines:
        # Text, not markup: a requirement may contain [brackets].
        console.print(Text(text, style), no_wrap=not wrapped, overflow="fold" if wrapped else "ellipsis")
