"""REV-04: times that do not come from the database's clock."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from pytest_taskq.review.reading import Seen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_taskq.review.reading import Reading
    from pytest_taskq.review.statements import Statement

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?")
_NO_MOMENTS = ("0000", "0001", "1900", "1970", "9999")  # "never" and "always", as code spells them


def times_from_elsewhere(reading: Reading) -> Iterator[Seen]:
    """REV-04: the local clock spliced in, its zone asked for, and moments spelled out. What is bound is not pasted."""
    for statement in reading.statements:
        yield from _spliced(reading, statement)
        if reading.is_of_queue(statement):
            yield from _spelled(statement)


def _spliced(reading: Reading, statement: Statement) -> Iterator[Seen]:
    names = [hole for name in statement.table_names for hole in statement.holes_in(name)]
    for hole in statement.template.holes:
        if statement.parsed and hole not in names and reading.tracer.is_local_clock(hole.node, hole.scope):
            yield Seen(
                "REV-04",
                hole.scope.module,
                hole.node,
                f"the local clock, `{ast.unparse(hole.node)}`, is spliced into the SQL",
            )


def _spelled(statement: Statement) -> Iterator[Seen]:
    from sqlglot import exp

    for whole in statement.parsed:
        for literal in whole.find_all(exp.Literal):
            if not literal.is_string:
                continue
            if _MOMENT.fullmatch(literal.name) and not literal.name.startswith(_NO_MOMENTS):
                yield _at(statement, literal.name, f"the moment '{literal.name}' is spelled out")
            elif literal.name.lower() == "localtime":
                yield _at(statement, literal.name, "'localtime' is the zone of one machine")


def _at(statement: Statement, word: str, seen: str) -> Seen:
    node, scope, below = statement.place_of(word.lower())
    return Seen("REV-04", scope.module, node, seen, below)
