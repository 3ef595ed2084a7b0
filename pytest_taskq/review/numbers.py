"""Which expressions are numbers: such a value brings no text of anybody into SQL."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_taskq.review.project import Project
    from pytest_taskq.review.scopes import Binding, Scope

_RETURN_NUMBERS = frozenset({"int", "float", "len", "bool", "round", "sum", "abs", "ord", "hash", "id"})
_CHOOSE = frozenset({"max", "min"})
_TYPES = frozenset({"int", "float", "bool"})
_ONLY_NUMBERS = (ast.Sub, ast.Div, ast.FloorDiv, ast.Pow, ast.LShift, ast.RShift)  # no text has these
_CONSTANT = re.compile(r"_*[A-Z][A-Z0-9_]+")
_DEEPEST = 6


def is_number(node: ast.expr, scope: Scope, project: Project, depth: int = 0) -> bool:
    """Whether an expression can be nothing but a number, by what it is made of or by its annotation."""
    if depth > _DEEPEST:
        return False

    def each(*parts: ast.expr) -> bool:
        return all(is_number(one, scope, project, depth + 1) for one in parts)

    match node:
        case ast.Constant(value=value):
            return isinstance(value, int | float)
        case ast.UnaryOp(op=ast.USub(), operand=inner) | ast.NamedExpr(value=inner):
            return each(inner)
        case ast.BinOp(op=op, left=left, right=right):
            return isinstance(op, _ONLY_NUMBERS) or each(left, right)
        case ast.IfExp(body=left, orelse=right):
            return each(left, right)
        case ast.BoolOp(values=values):
            return each(*values)
        case ast.Call(func=ast.Name(id=name), args=values):
            return name in _RETURN_NUMBERS or (name in _CHOOSE and bool(values) and each(*values))
        case ast.Name() | ast.Attribute():
            return _is_bound_to_numbers(node, scope, project, depth)
        case _:
            return False


def is_one_of_constants(node: ast.expr, scope: Scope) -> bool:
    """Whether a name runs over what the code spells out: ``for state in DONE + [FAILED]``."""
    owner = scope.owner_of(node.id) if isinstance(node, ast.Name) else None
    if owner is None or not isinstance(node, ast.Name):
        return False
    bindings = owner.bindings[node.id]
    loops = [one.value for one in bindings if one.how == "for" and one.value is not None]
    return len(loops) == len(bindings) and all(map(_is_of_constants, loops))


def _is_of_constants(node: ast.expr) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return _CONSTANT.fullmatch(name) is not None
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            return _is_of_constants(left) and _is_of_constants(right)
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            return all(isinstance(one, ast.Constant) or _is_of_constants(one) for one in items)
        case _:
            return False


def _is_bound_to_numbers(node: ast.Name | ast.Attribute, scope: Scope, project: Project, depth: int) -> bool:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}:
        owner = scope.class_scope
        for one in project.bases(owner) if owner else []:
            bound, assigned = one.bindings.get(node.attr, []), one.attributes.get(node.attr, [])
            if bound or assigned:
                return all(_gives_number(each, one, project, depth) for each in bound) and all(
                    is_number(value, where, project, depth + 1) for value, where in assigned
                )
        return False
    found = project.defined(node, scope)
    return found is not None and all(
        _gives_number(one, found[0], project, depth) for one in found[0].bindings[found[1]]
    )


def _gives_number(binding: Binding, scope: Scope, project: Project, depth: int) -> bool:
    if binding.annotation is not None:
        return _is_type(binding.annotation)
    match binding.how, binding.value:
        case "=" | "+=", ast.expr() as value:
            return is_number(value, scope, project, depth + 1)
        case "for", ast.Call(func=ast.Name(id="range")):
            return True
        case _:
            return False


def _is_type(annotation: ast.expr) -> bool:
    """Whether it is ``int``, ``Optional[int]``, ``int | None`` or the like, quoted or not."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            annotation = ast.parse(annotation.value, mode="eval").body
        except (SyntaxError, ValueError):
            return False
    match annotation:
        case ast.Name(id=name):
            return name in _TYPES
        case ast.Subscript(value=ast.Name(id="Optional") | ast.Attribute(attr="Optional"), slice=inner):
            return _is_type(inner)
        case ast.BinOp(op=ast.BitOr(), left=left, right=ast.Constant(value=None)):
            return _is_type(left)
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            return _is_type(left) and _is_type(right)
        case _:
            return False
