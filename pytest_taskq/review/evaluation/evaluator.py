"""What text an expression may be: constants, operators and the ways to one of two."""

from __future__ import annotations

import ast
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pytest_taskq.review.evaluation.calls import called
from pytest_taskq.review.evaluation.formatting import by_percent, numbers
from pytest_taskq.review.evaluation.frame import MOST, Frame
from pytest_taskq.review.evaluation.names import looked_up
from pytest_taskq.review.evaluation.unknown import unknown
from pytest_taskq.review.templates import EMPTY, Hole, Kind, Template, Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_taskq.review.evaluation.frame import Templates
    from pytest_taskq.review.project import Project
    from pytest_taskq.review.scopes import Scope

_FOR_NUMBERS = tuple("bcdeEfFgGnoxX")
_DEEPEST = 24
_LONGEST = 400  # steps for one text: names that are bound to each other would take for ever


class Evaluator:
    """Follows names, constants, helpers and the ways to put text together, through all modules of a project."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._depth = 0
        self._steps = 0
        self._cache: dict[ast.expr, Templates] = {}

    def templates(self, node: ast.expr, scope: Scope) -> Templates:
        """Return what the expression may be, at least one alternative; a hole alone if nothing is known of it."""
        return self.alternatives(node, Frame(self, scope))

    def alternatives(self, node: ast.expr, frame: Frame) -> Templates:
        """Return what the expression may be in its frame."""
        if not frame.given and node in self._cache:
            return self._cache[node]
        if self._depth == 0:
            self._steps = 0
        self._steps += 1
        if self.is_too_deep():
            return (Template((Hole(node, frame.scope, Kind.UNFOLLOWED),)),)
        with self.deeper():
            found = tuple(dict.fromkeys(_evaluated(node, frame)))[:MOST]
        if not frame.given and self._depth == 0:
            self._cache[node] = found
        return found

    def is_too_deep(self) -> bool:
        """Whether it is time to give up."""
        return self._depth > _DEEPEST or self._steps > _LONGEST

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """Count one level of names that lead to names."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1


def _evaluated(node: ast.expr, frame: Frame) -> Templates:
    match node:
        case ast.Constant(value=value):
            return unknown(node, frame.scope) if isinstance(value, bytes) else _spelled(str(value), node, frame)
        case ast.JoinedStr(values=values):
            return _in_turn(values, frame)
        case ast.FormattedValue(value=inner, format_spec=ast.JoinedStr(values=[*_, ast.Constant(value=str(spec))])):
            return numbers(frame.templates(inner)) if spec.endswith(_FOR_NUMBERS) else frame.templates(inner)
        case ast.FormattedValue(value=inner) | ast.Await(value=inner) | ast.NamedExpr(value=inner):
            return frame.templates(inner)
        case ast.BinOp():
            return _operated(node, frame)
        case ast.IfExp():
            return (*frame.templates(node.body), *frame.templates(node.orelse))
        case ast.BoolOp(values=values):
            return tuple(one for value in values for one in frame.templates(value))
        case ast.Name() | ast.Attribute() | ast.Subscript():
            return looked_up(node, frame)
        case ast.Call():
            return called(node, frame)
        case _:
            return unknown(node, frame.scope)


def _spelled(text: str, node: ast.expr, frame: Frame) -> Templates:
    return (Template((Text(text, node, frame.scope),)),)


def _operated(node: ast.BinOp, frame: Frame) -> Templates:
    match node:
        case ast.BinOp(op=ast.Add()):
            return _in_turn((node.left, node.right), frame)
        case ast.BinOp(op=ast.Mult(), left=ast.Constant(value=int())):
            return frame.templates(node.right)
        case ast.BinOp(op=ast.Mult()):
            return frame.templates(node.left)
        case ast.BinOp(op=ast.Mod()):
            return by_percent(node, frame)
        case _:
            return unknown(node, frame.scope)


def _in_turn(nodes: Iterable[ast.expr], frame: Frame) -> Templates:
    """Return every way to put one alternative of each node after the other, up to the most."""
    whole: Templates = (EMPTY,)
    for node in nodes:
        tails = frame.templates(node)
        whole = tuple(head + tail for head in whole for tail in tails)[:MOST]
    return whole
