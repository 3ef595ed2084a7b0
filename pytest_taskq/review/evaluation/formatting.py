"""What text ``%``, ``format()``, ``join()`` and ``replace()`` put together."""

from __future__ import annotations

import ast
import re
import string
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, TypeGuard

from pytest_taskq.review.evaluation.frame import MOST
from pytest_taskq.review.evaluation.sequences import sequence
from pytest_taskq.review.evaluation.unknown import unknown
from pytest_taskq.review.templates import EMPTY, Hole, Kind, Template, Text, joined

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_taskq.review.evaluation.frame import Frame, Templates

    Spliced = Callable[[re.Match[str]], ast.expr | str]

_PERCENT = re.compile(r"%(?:\((?P<name>[^)]*)\))?[-#0 +]*(?:\*|\d+)?(?:\.\d+)?(?P<kind>[a-zA-Z%])")
_OF_NUMBERS = frozenset("diouxXeEfFgG")
_FIELD = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")


def by_percent(node: ast.BinOp, frame: Frame) -> Templates:
    """Return what ``text % values`` may be."""
    found: list[Template] = []
    for left in frame.templates(node.left):
        if left.is_one_hole:
            return unknown(node, frame.scope)
        found += _substituted(left, _PERCENT, _percent_values(node.right), frame)
    return tuple(found)


def _percent_values(right: ast.expr) -> Spliced:
    positional = list(right.elts) if isinstance(right, ast.Tuple) else [right]
    named: dict[object, ast.expr] = {}
    if isinstance(right, ast.Dict):
        both = zip(right.keys, right.values, strict=True)
        named = {key.value: value for key, value in both if isinstance(key, ast.Constant)}

    def spliced(match: re.Match[str]) -> ast.expr | str:
        if match["kind"] == "%":
            return "%"
        if match["name"] is not None:
            return named.get(match["name"], right)
        return positional.pop(0) if positional else right

    return spliced


def by_format(node: ast.Call, inner: ast.expr, frame: Frame) -> Templates:
    """Return what ``inner.format(...)`` may be."""
    found: list[Template] = []
    for template in frame.templates(inner):
        if template.is_one_hole or (template.constant is not None and not _is_format(template.constant)):
            return unknown(node, frame.scope)
        found += _substituted(template, _FIELD, _format_values(node), frame)
    return tuple(map(_quoted, found)) if _is_composer(inner, frame) else tuple(found)


def _is_composer(node: ast.expr, frame: Frame) -> bool:
    """Whether it is psycopg's ``SQL``, whose ``format()`` quotes each value."""
    return isinstance(node, ast.Call) and frame.project.dotted(node.func, frame.scope).rpartition(".")[2] == "SQL"


def _quoted(template: Template) -> Template:
    parts = (replace(one, kind=Kind.COMPOSED) if _is_open(one) else one for one in template.parts)
    return Template(tuple(parts))


def _is_open(part: Text | Hole) -> TypeGuard[Hole]:
    return isinstance(part, Hole) and part.kind is Kind.VALUE


def _format_values(node: ast.Call) -> Spliced:
    named = {one.arg: one.value for one in node.keywords if one.arg}
    counter = count()

    def spliced(match: re.Match[str]) -> ast.expr | str:
        if match[0] in {"{{", "}}"}:
            return match[0][0]
        key = re.split(r"[.\[!:]", match[1], maxsplit=1)[0]
        index = next(counter) if not key else int(key) if key.isdecimal() else -1
        if 0 <= index < len(node.args) and not isinstance(node.args[index], ast.Starred):
            return node.args[index]
        return named.get(key, node)

    return spliced


def _is_format(text: str) -> bool:
    try:
        list(string.Formatter().parse(text))
    except ValueError:
        return False
    return True


def _substituted(template: Template, pattern: re.Pattern[str], spliced: Spliced, frame: Frame) -> list[Template]:
    """Return the template with each match of its own text replaced by what ``spliced`` gives for it."""
    whole = [EMPTY]
    for part in template.parts:
        if isinstance(part, Hole):
            whole = [one + Template((part,)) for one in whole]
            continue
        end = 0
        for match in pattern.finditer(part.text):
            before = Template((Text(part.text[end : match.start()], part.node, part.scope),))
            tails = _spliced(spliced(match), part, frame)
            if pattern is _PERCENT and match["kind"] in _OF_NUMBERS:
                tails = numbers(tails)
            whole = [one + before + tail for one in whole for tail in tails][:MOST]
            end = match.end()
        whole = [one + Template((Text(part.text[end:], part.node, part.scope),)) for one in whole]
    return whole


def _spliced(what: ast.expr | str, part: Text, frame: Frame) -> Templates:
    match what:
        case str(text):
            return (Template((Text(text, part.node, part.scope),)),)
        case ast.Call(func=ast.Attribute(attr="format")):  # perhaps the very call that is read
            return unknown(what, frame.scope)
        case _:
            return frame.templates(what)


def numbers(templates: Templates) -> Templates:
    """Return what a format for numbers makes of them: it refuses text."""
    return tuple(
        Template(tuple(replace(part, kind=Kind.NUMBER) if _is_open(part) else part for part in one.parts))
        for one in templates
    )


def by_join(node: ast.Call, between: ast.expr, frame: Frame) -> Templates:
    """Return what ``between.join(...)`` may be: the first alternative of each element."""
    separators = frame.templates(between)
    parts = sequence(node.args[0], frame)
    if parts is None or any(not one for one in parts):
        return unknown(node, frame.scope)
    return (joined((one[0] for one in parts), separators[0]),)


def by_replace(node: ast.Call, inner: ast.expr, frame: Frame) -> Templates:
    """Return what ``inner.replace(old, new)`` may be."""
    old = frame.templates(node.args[0])[0].constant
    if not old:
        return unknown(node, frame.scope)
    new = frame.templates(node.args[1])[0]
    return tuple(one.replaced(old, new) for one in frame.templates(inner))
