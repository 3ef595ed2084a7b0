"""What texts a list, tuple or dict holds."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pytest_taskq.review.evaluation.frame import MOST
from pytest_taskq.review.templates import Template, Text

if TYPE_CHECKING:
    from pytest_taskq.review.evaluation.frame import Frame, Templates
    from pytest_taskq.review.scopes import Binding, Scope

    Elements = list[Templates]

_COPIES = frozenset({"sorted", "list", "tuple", "set", "frozenset"})


def elements(node: ast.expr, frame: Frame, *, constants_only: bool = False) -> Templates:
    """Return the templates of what a list, tuple or dict (its values) holds; none if that is not known."""
    found = tuple(one for element in sequence(node, frame) or () for one in element)
    if constants_only and any(one.holes for one in found):
        return ()
    return found[: 4 * MOST]


def sequence(node: ast.expr, frame: Frame) -> Elements | None:
    """Return the alternatives of each element, None if they are not known."""
    match node:
        case ast.Name():
            return _named(node, frame)
        case ast.Attribute():
            found = bound_attribute(node, frame)
            value = found[1][0].value if found and len(found[1]) == 1 else None
            return sequence(value, frame.at(found[0])) if found and value is not None else None
        case ast.BinOp(op=ast.Mult(), left=left):
            return sequence(left, frame)
        case ast.Call():
            inner = _copied(node)
            return sequence(inner, frame) if inner is not None else None
        case _:
            return _spelled(node, frame)


def _spelled(node: ast.expr, frame: Frame) -> Elements | None:
    match node:
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            if any(isinstance(one, ast.Starred) for one in items):
                return None
            return [frame.templates(one) for one in items]
        case ast.Dict(values=values):
            return [frame.templates(one) for one in values]
        case ast.ListComp(elt=element) | ast.GeneratorExp(elt=element) | ast.SetComp(elt=element):
            return [frame.templates(element)]
        case ast.Constant(value=str(text)):
            return [(Template((Text(character, node, frame.scope),)),) for character in dict.fromkeys(text)]
        case _:
            return None


def _copied(node: ast.Call) -> ast.expr | None:
    """Return the sequence whose elements a call gives back as they are."""
    match node:
        case ast.Call(func=ast.Name(id=name), args=[inner]) if name in _COPIES:
            return inner
        case ast.Call(func=ast.Attribute(value=inner, attr="values")):
            return inner
        case _:
            return None


def _named(node: ast.Name, frame: Frame) -> Elements | None:
    found = frame.project.defined(node, frame.scope)
    if found is None or frame.evaluator.is_too_deep():
        return None
    owner, name = found
    bindings = owner.bindings[name]
    if any(one.how not in {"=", "+="} or one.value is None for one in bindings):
        return None
    with frame.evaluator.deeper():
        parts = [sequence(one.value, frame.at(owner)) for one in bindings if one.value is not None]
        parts += [[frame.at(where).templates(one)] for one, where in _appended(owner, name)]
    return None if None in parts else [one for part in parts for one in part or []]


def _appended(owner: Scope, name: str) -> list[tuple[ast.expr, Scope]]:
    """Return what ``name.append(...)`` puts into a list."""
    return [(one, scope) for one, scope in owner.module.appended.get(name, ()) if scope.owner_of(name) is owner]


def bound_attribute(node: ast.Attribute, frame: Frame) -> tuple[Scope, list[Binding]] | None:
    """Return where ``module.name``, ``Class.name`` or ``self.name`` is assigned in the body of a module or class."""
    if isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}:
        owner = frame.scope.class_scope
    else:
        found = frame.project.defined(node, frame.scope)
        if found is not None:
            return found[0], found[0].bindings[found[1]]
        owner = frame.project.class_of(node.value, frame.scope)
    for one in frame.project.bases(owner) if owner else []:
        bindings = one.bindings.get(node.attr)
        if bindings and all(binding.how == "=" for binding in bindings):
            return one, bindings
    return None
