"""``# taskq: ignore[REV-03] reason``: findings that a team has looked at and stands by."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_taskq.review.catalogue import IGNORE, RULES
from pytest_taskq.review.finding import Finding, Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_taskq.review.scopes import Module

_COMMENT = re.compile(r"#\s*taskq:\s*ignore\b(?:\[(?P<ids>[^\]]*)\])?(?P<reason>.*)")


@dataclass(frozen=True, slots=True)
class Ignore:
    """One such comment; ``line`` is its own, ``alone`` whether nothing else stands there: then it is of the next."""

    line: int
    column: int
    ids: tuple[str, ...]
    reason: str
    alone: bool


def ignores_in(text: str) -> tuple[Ignore, ...]:
    """Return the comments of a source, those inside of texts left out."""
    if "taskq:" not in text:
        return ()
    return tuple(_found(text))


def _found(text: str) -> Iterator[Ignore]:
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            match = _COMMENT.search(token.string) if token.type == tokenize.COMMENT else None
            if match:
                ids = tuple(one.strip().upper() for one in (match["ids"] or "").split(",") if one.strip())
                line, column = token.start
                yield Ignore(line, column + 1, ids, match["reason"].strip(" -:"), not token.line[:column].strip())
    except (tokenize.TokenError, SyntaxError):
        return  # the parser has read it, so only its end may be odd


def silenced(
    module: Module, findings: Iterable[tuple[Finding, ast.AST]], shown: str
) -> tuple[list[Finding], list[Finding]]:
    """Return the findings that are left, and what is wrong with the comments."""
    ignores = ignores_in(module.source.text)
    used: set[tuple[Ignore, str]] = set()
    left: list[Finding] = []
    for finding, node in findings:
        lines = _lines_of(module, node)
        fitting = [
            one for one in ignores if finding.rule.id in one.ids and one.reason and one.line + one.alone in lines
        ]
        used |= {(one, finding.rule.id) for one in fitting}
        if not fitting:
            left.append(finding)
    wrong = [
        Finding(IGNORE, Place(shown, one.line, one.column), seen, module.source.line(one.line))
        for one in ignores
        for seen in _faults(one, used)
    ]
    return left, wrong


def _lines_of(module: Module, node: ast.AST) -> range:
    """Return the lines of the statement that a node is a part of; of a compound one those of its head."""
    statement = module.statement_of(node) if not isinstance(node, ast.ExceptHandler) else node
    body = getattr(statement, "body", None)
    first = getattr(statement, "lineno", 1)
    last = (
        max(first, body[0].lineno - 1) if isinstance(body, list) and body else getattr(statement, "end_lineno", first)
    )
    return range(first, last + 1)


def _faults(one: Ignore, used: set[tuple[Ignore, str]]) -> Iterator[str]:
    if not one.ids:
        yield "this ignore names no rule; write for instance ignore[REV-03]"
    elif not one.reason:
        yield "this ignore gives no reason, so it silences nothing; write it behind the bracket"
    else:
        for name in one.ids:
            if name not in RULES:
                yield f"this ignore names {name}, which is no rule of the review"
            elif (one, name) not in used:
                yield f"this ignore of {name} silences nothing; remove it"
