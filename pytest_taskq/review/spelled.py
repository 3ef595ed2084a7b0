"""The texts that a module spells out, and those that go to a person."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_taskq.review.scopes import Module

SAID = frozenset(
    {"debug", "info", "warning", "warn", "error", "exception", "critical", "log", "print", "add_argument", "write"}
    | {"match"}
)
_SAYS = re.compile(r"(?:^|_)(?:emit|echo|print|dump|say)(?:_|$)")
WRAPPERS = frozenset({"SQL", "text", "dedent", "cleandoc"})


def texts(module: Module) -> Iterator[ast.expr]:
    """Yield each outermost expression that spells out text."""
    for node, parent in module.parents.items():
        if not _spells(node) or not isinstance(node, ast.expr):
            continue
        if isinstance(parent, ast.Expr) or (isinstance(parent, ast.expr) and _spells(parent)):
            continue
        if isinstance(parent, ast.FormattedValue) or (
            isinstance(parent, ast.Attribute) and _is_method_of_text(parent, module)
        ):
            continue
        yield node


def _spells(node: ast.AST) -> bool:
    match node:
        case ast.Constant(value=str()) | ast.JoinedStr():
            return True
        case ast.BinOp(op=ast.Add() | ast.Mod()):
            return _spells(node.left) or _spells(node.right)
        case ast.Call(func=ast.Attribute(value=inner, attr="format" | "strip" | "replace" | "join")):
            return _spells(inner)
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=[first]) if name in WRAPPERS:
            return _spells(first)
        case _:
            return False


def _is_method_of_text(node: ast.Attribute, module: Module) -> bool:
    call = module.parents.get(node)
    return isinstance(call, ast.Call) and call.func is node and _spells(call)


def says(name: str) -> bool:
    """Whether what a function of this name is given goes to a person or into a file."""
    return name in SAID or name.endswith("Error") or _SAYS.search(name) is not None


def is_said(node: ast.expr, module: Module) -> bool:
    """Whether the text goes to a person: an error, a log, a docstring's assignment."""
    for above in module.ancestors(node):
        match above:
            case ast.Raise() | ast.Assert() | ast.Compare() | ast.Yield():
                return True
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if says(name):
                return True
            case ast.keyword(arg="help" | "description" | "doc" | "message"):
                return True
            case ast.stmt():
                return False
            case _:
                pass
    return False


def is_gathered(node: ast.expr, module: Module) -> bool:
    """Whether the text is one of a list: of a script or a dump as likely as of statements to run."""
    for above in module.ancestors(node):
        match above:
            case ast.ListComp() | ast.GeneratorExp() | ast.List():
                return True
            case ast.Call(func=ast.Attribute(attr="append" | "extend")):
                return True
            case ast.stmt():
                return False
            case _:
                pass
    return False
