"""What text a name, an attribute or an element holds."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pytest_taskq.review.evaluation.frame import MOST
from pytest_taskq.review.evaluation.returns import returned_by
from pytest_taskq.review.evaluation.sequences import bound_attribute, elements
from pytest_taskq.review.evaluation.unknown import unknown
from pytest_taskq.review.templates import Hole, Kind, Template, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_taskq.review.evaluation.frame import Frame, Templates
    from pytest_taskq.review.scopes import Binding, Scope

_MAYBE_PASSED = (ast.If, ast.Try, ast.For, ast.While)


def looked_up(node: ast.Name | ast.Attribute | ast.Subscript, frame: Frame) -> Templates:
    """Return what the name, attribute or element may be."""
    match node:
        case ast.Name():
            return _name(node, frame)
        case ast.Attribute():
            return _attribute(node, frame)
        case ast.Subscript(slice=ast.Slice() as part):
            return tuple(_sliced(one, part) for one in frame.templates(node.value))
        case _:
            return elements(node.value, frame, constants_only=True) or unknown(node, frame.scope)


def _name(node: ast.Name, frame: Frame) -> Templates:
    found = frame.project.defined(node, frame.scope)
    if found is None:
        return unknown(node, frame.scope)
    if found in frame.given:
        return frame.given[found]
    owner, name = found
    bindings = _in_force(owner, name, node, frame.scope)
    return _bound(bindings, owner, node, frame) if bindings else unknown(node, frame.scope)


def _bound(bindings: Sequence[Binding], owner: Scope, node: ast.expr, frame: Frame) -> Templates:
    alternatives: Templates = ()
    for binding in bindings:
        if binding.how == "+=" and binding.value is not None:
            heads = alternatives or unknown(node, frame.scope)
            tails = frame.at(owner).templates(binding.value)
            alternatives += tuple(head + tail for head in heads for tail in tails)
        else:
            alternatives += _from(binding, owner, node, frame)
    return alternatives[:MOST]


def _from(binding: Binding, owner: Scope, node: ast.expr, frame: Frame) -> Templates:
    """Return what a name is by one of its bindings alone."""
    there = frame.at(owner)
    match binding.how, binding.value:
        case "=", ast.expr() as value:
            return there.templates(value)
        case "for", ast.expr() as value:
            return elements(value, there) or unknown(node, frame.scope)
        case "parameter", ast.expr() as default:
            guess = there.templates(default)[0].constant
            return unknown(node, frame.scope, guess)
        case _:
            return unknown(node, frame.scope)


def _in_force(owner: Scope, name: str, node: ast.Name, scope: Scope) -> list[Binding]:
    """Return the bindings that may hold where the name is used: none from behind it, none that was surely replaced."""
    bindings = owner.bindings[name]
    if owner is not scope or not owner.is_function:
        return bindings
    before = [one for one in bindings if one.line < node.lineno or one.how in {"for", "with", "parameter"}]
    around = {*owner.module.ancestors(node)}
    for number in range(len(before) - 1, 0, -1):
        holder = owner.module.parents.get(before[number].node)
        if before[number].how == "=" and holder in around and not isinstance(holder, _MAYBE_PASSED):
            return before[number:]
    return before or bindings


def _attribute(node: ast.Attribute, frame: Frame) -> Templates:
    found = bound_attribute(node, frame)
    if found is not None:
        owner, bindings = found
        templates = _bound(bindings, owner, node, frame.apart(frame.scope))
        # Of `self.x = x` the parameter's own name means nothing to the reader of this place.
        return tuple(unknown(node, frame.scope, one.guess)[0] if one.is_one_hole else one for one in templates)
    if node.attr in {"value", "name"} and isinstance(node.value, ast.Attribute):
        templates = _attribute(node.value, frame)
        return unknown(node, frame.scope) if any(one.is_one_hole for one in templates) else templates
    if node.attr in frame.project.placeholder_names:
        return (Template((Hole(node, frame.scope, Kind.COMPOSED),)),)
    return _own(node, frame) or unknown(node, frame.scope)


def _own(node: ast.Attribute, frame: Frame) -> Templates:
    """Return what ``self.name`` is if it was assigned once, or is a property."""
    is_own = isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}
    owner = frame.scope.class_scope if is_own else None
    for one in frame.project.bases(owner) if owner else []:
        assigned = one.attributes.get(node.attr, [])
        if len(assigned) == 1:
            value, where = assigned[0]
            return _assigned_once(node, value, where, frame)
        if assigned:
            return ()
    method = frame.project.method(owner, node.attr) if owner else None
    return _of_property(method, frame) if method is not None and _is_property(method) else ()


def _assigned_once(node: ast.Attribute, value: ast.expr, where: Scope, frame: Frame) -> Templates:
    templates = frame.apart(where).templates(value)
    is_open = any(one.is_one_hole for one in templates)
    return unknown(node, frame.scope, templates[0].guess) if is_open else templates


def _of_property(method: Scope, frame: Frame) -> Templates:
    inside = frame.apart(method)
    found = tuple(one for value in returned_by(method) if value for one in inside.templates(value))
    return () if any(one.is_one_hole for one in found) else found


def _is_property(method: Scope) -> bool:
    decorators = getattr(method.node, "decorator_list", [])
    names = (one.attr if isinstance(one, ast.Attribute) else getattr(one, "id", "") for one in decorators)
    return not {"property", "cached_property"}.isdisjoint(names)


def _sliced(template: Template, part: ast.Slice) -> Template:
    """Return the template without its end, as in ``text[:-1]``; other slices are left whole."""
    match part:
        case ast.Slice(lower=None, upper=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(count)))):
            last = template.parts[-1] if template.parts else None
            if isinstance(last, Text):
                return Template((*template.parts[:-1], Text(last.text[:-count], last.node, last.scope)))
        case _:
            pass
    return template
