"""The hole for what is known at run time only, and what its name tells of it."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from pytest_taskq.review.templates import Hole, Kind, Template

if TYPE_CHECKING:
    from pytest_taskq.review.scopes import Scope

# What is called so gives a placeholder or quotes; what is named so is configured by whoever deploys, and is no value.
_QUOTING = re.compile(r"bind|placeholder|param|quote|escape|literal|mogrify|ident", re.IGNORECASE)
_IDENTIFIER_NAME = re.compile(r"(?:^|_)(?:table|schema|column|index|sequence)s?(?:_|$)", re.IGNORECASE)
_PLACEHOLDER_NAME = re.compile(r"(?:^|_)(?:placeholder|qmark|marker|mark|metavar|binding|bind)s?$", re.IGNORECASE)
_CONSTANT_NAME = re.compile(r"_*[A-Z][A-Z0-9_]+")


def unknown(node: ast.expr, scope: Scope, guess: str | None = None) -> tuple[Template]:
    """Return a template of one hole, of the kind that the expression's name tells."""
    return (Template((Hole(node, scope, _kind(node), guess),)),)


def _kind(node: ast.expr) -> Kind:
    if isinstance(node, ast.Call) and _QUOTING.search(ast.unparse(node.func).rpartition(".")[2]):
        return Kind.COMPOSED
    name = _name(_joined(node))
    if _PLACEHOLDER_NAME.search(name):
        return Kind.COMPOSED
    if _IDENTIFIER_NAME.search(name):
        return Kind.IDENTIFIER
    return Kind.CONSTANT if _CONSTANT_NAME.fullmatch(name) else Kind.VALUE


def _joined(node: ast.expr) -> ast.expr:
    """Return what ``", ".join(names)`` puts together, any other expression as it is."""
    match node:
        case ast.Call(func=ast.Attribute(attr="join"), args=[ast.Name() | ast.Attribute() as inner]):
            return inner
        case _:
            return node


def _name(node: ast.expr) -> str:
    match node:
        case ast.Attribute(value=ast.Attribute(attr=name), attr="value" | "name"):  # Status.QUEUED.value
            return name
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""
