"""What text a call gives: methods of texts, wrappers of SQL, helpers of the project."""

from __future__ import annotations

import ast
import textwrap
from typing import TYPE_CHECKING

from pytest_taskq.review.evaluation.formatting import by_format, by_join, by_replace
from pytest_taskq.review.evaluation.frame import MOST
from pytest_taskq.review.evaluation.returns import returned_by
from pytest_taskq.review.evaluation.sequences import elements
from pytest_taskq.review.evaluation.unknown import unknown
from pytest_taskq.review.templates import Hole, Kind, Template, Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_taskq.review.evaluation.frame import Frame, Templates
    from pytest_taskq.review.scopes import Scope

_UNTOUCHED = frozenset(
    {"strip", "lstrip", "rstrip", "lower", "upper", "encode", "decode", "expandtabs", "casefold", "as_string"}
)
_WRAPPERS = frozenset({"dedent", "cleandoc", "str", "text", "SQL", "LiteralString", "cast", "Composed"})
_NUMBERS = frozenset({"int", "float", "len", "bool"})
_QUOTED = frozenset({"Identifier", "Literal"})


def called(node: ast.Call, frame: Frame) -> Templates:
    """Return what the call may give."""
    return _by_method(node, frame) or _by_name(node, frame) or _returned(node, frame)


def _by_method(node: ast.Call, frame: Frame) -> Templates:
    """Return what a method of a text or of a dict of texts gives; nothing if it is none."""
    match node:
        case ast.Call(func=ast.Attribute(value=inner, attr="format")):
            return by_format(node, inner, frame)
        case ast.Call(func=ast.Attribute(value=between, attr="join"), args=[_]):
            return by_join(node, between, frame)
        case ast.Call(func=ast.Attribute(value=inner, attr="replace"), args=[_, _]):
            return by_replace(node, inner, frame)
        case ast.Call(func=ast.Attribute(value=inner, attr=attr)) if attr in _UNTOUCHED and not _is_module(
            inner, frame.scope
        ):
            return tuple(one.mapped(_change(node, attr)) for one in frame.templates(inner))
        case ast.Call(func=ast.Attribute(value=inner, attr="get"), args=[_, *_]):
            return elements(inner, frame, constants_only=True) or _with_default(node, frame)
        case _:
            return ()


def _with_default(node: ast.Call, frame: Frame) -> Templates:
    """Return what ``get()`` gives of a dict that is not known; one whose default is a placeholder holds more SQL."""
    match node.args:
        case [_, ast.Constant(value="?" | "%s")]:
            return (Template((Hole(node, frame.scope, Kind.COMPOSED),)),)
        case _:
            return unknown(node, frame.scope)


def _by_name(node: ast.Call, frame: Frame) -> Templates:
    """Return what a function gives that is known by its name; nothing if it is not."""
    name = frame.project.dotted(node.func, frame.scope).rpartition(".")[2]
    if name in _WRAPPERS and node.args:
        inner = node.args[1] if name == "cast" and len(node.args) > 1 else node.args[0]
        templates = frame.templates(inner)
        return tuple(one.mapped(textwrap.dedent) for one in templates) if name == "dedent" else templates
    if name in _NUMBERS:
        return (Template((Hole(node, frame.scope, Kind.NUMBER),)),)
    if name in _QUOTED:
        return (Template((Hole(node, frame.scope, Kind.COMPOSED),)),)
    if name == "Placeholder":
        return (Template((Text("?", node, frame.scope),)),)
    return ()


def _returned(node: ast.Call, frame: Frame) -> Templates:
    """Return what a function of the project returns, with this call's arguments in the place of its parameters."""
    function = frame.project.function_of(node.func, frame.scope)
    if function is None or not isinstance(function.node, ast.FunctionDef | ast.AsyncFunctionDef):
        return unknown(node, frame.scope)
    values = returned_by(function)
    if not values or len(values) > MOST or None in values:
        return unknown(node, frame.scope)
    inside = frame.apart(function, _given(node, function, frame))
    found = tuple(one for value in values if value is not None for one in inside.templates(value))
    # A helper that says nothing of the text is one hole, here, not whatever stands in its return.
    return unknown(node, frame.scope) if any(one.is_one_hole for one in found) else found


def _given(node: ast.Call, function: Scope, frame: Frame) -> dict[tuple[Scope, str], Templates]:
    """Return what the call gives to the parameters, by its arguments and their defaults."""
    given: dict[tuple[Scope, str], Templates] = {}
    names_all = not any(one.arg is None for one in node.keywords)
    for name, bindings in function.bindings.items():
        if bindings[0].how != "parameter" or len(bindings) != 1:
            continue
        argument, default = frame.project.argument(node, function, name), bindings[0].value
        if argument is not None:
            given[function, name] = frame.templates(argument)
        elif default is not None and names_all:
            given[function, name] = frame.apart(function).templates(default)
    return given


def _is_module(node: ast.expr, scope: Scope) -> bool:
    if not isinstance(node, ast.Name) or scope.owner_of(node.id) is not None:
        return False
    origin = scope.module.imports.get(node.id)
    return origin is not None and node.id == node.id.lower() and "." not in origin


def _change(node: ast.Call, attr: str) -> Callable[[str], str]:
    """Return what the method does to a text, as far as it matters to SQL."""
    match attr, node.args:
        case "rstrip" | "strip", [ast.Constant(value=str(characters))]:
            return lambda text: text.rstrip(characters)
        case _:
            return lambda text: text
