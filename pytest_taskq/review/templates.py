"""Text that code puts together: what of it is known, and the holes where something is spliced in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable, Iterable

    from pytest_taskq.review.scopes import Scope

HOLE = "taskq_hole_"  # with its number a hole's name, where a text must be SQL


class Kind(Enum):
    """What is spliced into a hole."""

    VALUE = "anything"
    CONSTANT = "a constant by its name, defined where nobody looked"
    NUMBER = "what int(), float() or len() returned, so no text of anybody"
    COMPOSED = "a placeholder, or quoted by the driver"
    UNFOLLOWED = "what nobody followed to its end, so nothing is said of it"
    IDENTIFIER = "named as the name of a table, schema, column or index"


@dataclass(frozen=True, slots=True)
class Text:
    """A piece that the source spells out."""

    text: str
    node: ast.expr
    scope: Scope


@dataclass(frozen=True, slots=True)
class Hole:
    """A piece that is known at run time only; ``guess`` is what a default would put there."""

    node: ast.expr
    scope: Scope
    kind: Kind = Kind.VALUE
    guess: str | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """Pieces in their order."""

    parts: tuple[Text | Hole, ...]

    def __add__(self, other: Template) -> Template:
        return Template((*self.parts, *other.parts))

    @property
    def holes(self) -> tuple[Hole, ...]:
        """The holes in their order."""
        return tuple(part for part in self.parts if isinstance(part, Hole))

    @property
    def constant(self) -> str | None:
        """The whole text, None if there is a hole."""
        if self.holes:
            return None
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def is_one_hole(self) -> bool:
        """Whether nothing of it is known."""
        return len(self.parts) == 1 and bool(self.holes)

    @property
    def guess(self) -> str | None:
        """What a default would be, where nothing else is known."""
        return self.holes[0].guess if self.is_one_hole else None

    def rendered(self, name: Callable[[int, Hole], str]) -> str:
        """Return the text with each hole filled in by ``name(number, hole)``."""
        number = 0
        pieces: list[str] = []
        for part in self.parts:
            if isinstance(part, Hole):
                pieces.append(name(number, part))
                number += 1
            else:
                pieces.append(part.text)
        return "".join(pieces)

    def mapped(self, change: Callable[[str], str]) -> Template:
        """Return it with ``change`` applied to each text."""
        return Template(tuple(replace(p, text=change(p.text)) if isinstance(p, Text) else p for p in self.parts))

    def replaced(self, old: str, new: Template) -> Template:
        """Return it with ``new`` in the place of each ``old``."""
        parts: list[Text | Hole] = []
        for part in self.parts:
            if isinstance(part, Hole) or old not in part.text:
                parts.append(part)
                continue
            first, *rest = part.text.split(old)
            parts.append(replace(part, text=first))
            for piece in rest:
                parts += [*new.parts, replace(part, text=piece)]
        return Template(tuple(parts))


EMPTY = Template(())


def joined(templates: Iterable[Template], between: Template) -> Template:
    """Return them one after the other with ``between`` in between."""
    whole = EMPTY
    for number, template in enumerate(templates):
        whole = whole + between + template if number else template
    return whole
