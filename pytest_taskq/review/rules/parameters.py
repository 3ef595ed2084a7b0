"""REV-03: values that are spliced into SQL instead of being bound."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from pytest_taskq.review import sql
from pytest_taskq.review.bound import may_be_placeholder
from pytest_taskq.review.numbers import is_number, is_one_of_constants
from pytest_taskq.review.reading import Seen
from pytest_taskq.review.templates import HOLE, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlglot import exp

    from pytest_taskq.review.reading import Reading
    from pytest_taskq.review.statements import Statement
    from pytest_taskq.review.templates import Hole

_CONTEXT = 80
_OF_NAMES = re.compile(
    r"nextval|setval|currval|to_reg\w+|pg_get_serial_sequence|pg_\w+_size|has_\w+_privilege", re.IGNORECASE
)


def values_in_sql(reading: Reading) -> Iterator[Seen]:
    """REV-03: a hole that stands where a value stands. Names of tables and columns cannot be bound, so they may be."""
    for statement in reading.statements:
        for hole in spliced_values(statement):
            if hole.kind is Kind.VALUE and not _is_harmless(reading, hole):
                name = ast.unparse(hole.node)
                yield Seen(
                    "REV-03", hole.scope.module, hole.node, f"the value `{name[:_CONTEXT]}` is spliced into the SQL"
                )


def _is_harmless(reading: Reading, hole: Hole) -> bool:
    """Whether it brings no text of anybody: a number, one of constants, the local clock (REV-04)."""
    return (
        reading.tracer.is_local_clock(hole.node, hole.scope)
        or is_one_of_constants(hole.node, hole.scope)
        or is_number(hole.node, hole.scope, reading.project)
    )


def spliced_values(statement: Statement) -> list[Hole]:
    """Return the holes of a query or change that stand where a value stands."""
    found: list[Hole] = []
    for node in _values(statement):
        found += [hole for hole in statement.holes_in(node) if hole not in found]
    return found


def _values(statement: Statement) -> Iterator[str]:
    """Yield the words of the SQL that stand in the place of a value."""
    from sqlglot import exp

    for whole in statement.parsed:
        for literal in whole.find_all(exp.Literal):
            is_own = _is_in_procedure(literal) or _is_name(literal) or sql.looks_like_sql(literal.name)
            if literal.is_string and not is_own:
                yield literal.name
        for column in whole.find_all(exp.Column):
            hole = None if column.table else statement.hole(column.name)
            if hole and _is_value(column) and not may_be_placeholder(column, hole, statement):
                yield column.name


def _is_name(literal: exp.Literal) -> bool:
    """Whether it is a name all the same: of a column to insert, or of what PostgreSQL asks for as a text."""
    from sqlglot import exp

    match literal.parent:
        case exp.Anonymous(name=name):
            return _OF_NAMES.fullmatch(name) is not None
        case exp.Schema():
            return True
        case exp.Cast(to=to):
            return str(to.args.get("kind") or to.this).lower() == "regclass"
        case _:
            return False


def _is_in_procedure(node: exp.Expr) -> bool:
    """Whether it stands beside a variable in VALUES: such SQL is the body of a trigger, where nothing can be bound."""
    from sqlglot import exp

    row = node.find_ancestor(exp.Tuple)
    if row is None or not isinstance(row.parent, exp.Values):
        return False
    return any(_is_variable(one) for one in row.expressions)


def _is_variable(node: exp.Expr) -> bool:
    from sqlglot import exp

    is_name = isinstance(node, exp.Column) and isinstance(node.this, exp.Identifier) and not node.this.quoted
    return is_name and not node.name.startswith(HOLE)


def _is_value(column: exp.Column) -> bool:
    """Whether a column's place is a value's. ``WHERE {hole}`` is a condition and ``ORDER BY {hole}`` a name."""
    from sqlglot import exp

    parent, child = column.parent, column
    while isinstance(parent, exp.Paren | exp.Cast | exp.Neg):
        parent, child = parent.parent, parent  # type: ignore[assignment]
    match parent:
        case exp.EQ() if isinstance(parent.parent, exp.Update) or (
            parent.parent and isinstance(parent.parent, exp.OnConflict)
        ):
            return parent.expression is child and not _names_a_column(parent.this)
        case exp.EQ() | exp.NEQ() | exp.GT() | exp.GTE() | exp.LT() | exp.LTE() | exp.Like() | exp.ILike():
            return parent.expression is child and not _names_a_column(parent.this)
        case exp.In():
            return child in parent.expressions
        case exp.Between():
            return child is not parent.this
        case exp.Limit() | exp.Offset() | exp.Interval():
            return True
        case exp.Tuple():
            return isinstance(parent.parent, exp.Values)
        case _:
            return False


def _names_a_column(node: exp.Expr) -> bool:
    """Whether the other side is a hole too: then the comparison is put together of names."""
    from sqlglot import exp

    return isinstance(node, exp.Column) and node.name.startswith(HOLE)
