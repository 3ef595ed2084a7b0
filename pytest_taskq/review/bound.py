"""Whether what is spliced into SQL may be a placeholder, for which a value is bound where it runs."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp

    from pytest_taskq.review.statements import Statement
    from pytest_taskq.review.templates import Hole


def may_be_placeholder(column: exp.Expr, hole: Hole, statement: Statement) -> bool:
    """Whether a hole without quotes may be one: values are bound, or nobody is seen to run the SQL.

    Where the SQL spells its placeholders out, a hole is none, but for one that is a whole list: ``IN ({marks})``.
    """
    around = hole.scope.module.parents.get(hole.node)
    if isinstance(around, ast.Call) and isinstance(around.func, ast.Name) and around.func.id in {"str", "repr"}:
        return False
    if _is_whole_list(column):
        is_formatted = isinstance(hole.node, ast.Call) and ast.unparse(hole.node.func).endswith(".format")
        return is_formatted or _binds(statement)  # what somebody formats may be a SELECT
    return not _spells_placeholders(statement) and _binds(statement)


def _is_whole_list(column: exp.Expr) -> bool:
    from sqlglot import exp

    match column.parent:
        case exp.In(expressions=[_]) | exp.Tuple(parent=exp.Values(), expressions=[_]):
            return True
        case _:
            return False


def _spells_placeholders(statement: Statement) -> bool:
    from sqlglot import exp

    return any(one.find(exp.Placeholder, exp.Parameter) for one in statement.parsed)


def _binds(statement: Statement) -> bool:
    """Whether values go with the SQL where it runs; True where nobody is seen to run it."""
    if statement.run is not None:
        return bool(statement.run.parameters)
    uses = [call for name in _names(statement) for call in _calls_with(statement, name)]
    return not uses or any(len(call.args) > 1 or call.keywords for call in uses)


def _names(statement: Statement) -> list[str]:
    """Return the names that the text is assigned to."""
    match statement.module.statement_of(statement.node):
        case ast.Assign(targets=targets):
            return [one.id for one in targets if isinstance(one, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)) | ast.AugAssign(target=ast.Name(id=name)):
            return [name]
        case _:
            return []


def _calls_with(statement: Statement, name: str) -> list[ast.Call]:
    """Return the calls of the same scope whose first argument is the name."""
    here = statement.module.scope_of(statement.node)
    found: list[ast.Call] = []
    for call, scope in statement.module.calls:
        match call.args:
            case [ast.Name(id=first), *_] if first == name and scope is here:
                found.append(call)
            case _:
                pass
    return found
