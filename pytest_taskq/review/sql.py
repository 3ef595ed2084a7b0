"""SQL as far as the rules ask: what kind of statement, which tables, where the holes stand. sqlglot reads it."""

from __future__ import annotations

import logging
import re
from contextlib import contextmanager
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlglot import exp

INSTALL = "pip install 'pytest-taskq[review]'"
DIALECTS = ("sqlite", "postgres", "mysql")
READS = frozenset({"select", "values"})
WRITES = frozenset({"insert", "update", "delete", "replace", "merge"})
DEFINITIONS = frozenset({"create", "drop", "alter", "truncate", "reindex", "vacuum", "analyze"})
UTILITIES = frozenset(
    {"pragma", "begin", "commit", "rollback", "savepoint", "release", "start", "set", "listen", "notify", "unlisten"}
    | {"lock", "explain", "attach", "detach", "show", "do", "copy", "grant", "end", "abort", "call"}
)
_COMMENT = re.compile(r"\s+|--[^\n]*(?:\n|$)|/\*.*?\*/|\(", re.DOTALL)
_FIRST = re.compile(r"[A-Za-z]+")
# What a text must look like to be taken for SQL although nobody is seen to run it.
_SHAPE = re.compile(
    r"select\b.+\bfrom\b|insert\s+(?:or\s+\w+\s+)?into\b|replace\s+into\b|update\b.+\bset\b.+=|delete\s+from\b"
    r"|with\b.+\bas\s+(?:not\s+materialized\s+|materialized\s+)?\(|merge\s+into\b|pragma\s+\w+"
    r"|create\s+(?:unique\s+|temp\s+|temporary\s+|virtual\s+|or\s+replace\s+)*(?:table|index|trigger|view|function)\b",
    re.DOTALL | re.IGNORECASE,
)
_DRIVER = re.compile(r"%\((\w+)\)s|%s")
_INDEXED = re.compile(r"\bINDEXED\s+BY\s+\w+|\bNOT\s+INDEXED\b", re.IGNORECASE)


class MissingParserError(Exception):
    """sqlglot is not installed; the text says how to install it."""


def require_parser() -> None:
    """Raise MissingParserError if SQL cannot be read here."""
    if find_spec("sqlglot") is None:
        raise MissingParserError(f"the review reads SQL with sqlglot, which is not installed; run: {INSTALL}")


def verb(text: str) -> str:
    """Return the first word in lower case, behind comments and brackets; empty if there is none."""
    start = 0
    while match := _COMMENT.match(text, start):
        start = match.end()
    first = _FIRST.match(text, start)
    return first[0].lower() if first else ""


def is_known_verb(word: str) -> bool:
    """Whether a statement begins so."""
    return word == "with" or word in READS or word in WRITES or word in DEFINITIONS or word in UTILITIES


def looks_like_sql(text: str) -> bool:
    """Whether a text that nobody is seen to run is SQL: by its shape, and its first word is not Capitalised prose."""
    start = 0
    while match := _COMMENT.match(text, start):
        start = match.end()
    if _SHAPE.match(text, start) is None:
        return False
    word = _FIRST.match(text, start)
    return word is not None and (word[0].islower() or word[0].isupper())


@lru_cache(maxsize=4096)
def parsed(text: str) -> tuple[exp.Expr, ...]:
    """Return the statements of a text; none if no dialect can read it, or nothing of it."""
    from sqlglot import exp, parse
    from sqlglot.errors import SqlglotError

    plain = _INDEXED.sub("", _DRIVER.sub(lambda match: f":{match[1] or 'value'}", text))
    with _silent():
        for dialect in DIALECTS:
            try:
                found = [one for one in parse(plain, dialect=dialect) if one is not None]
            except (SqlglotError, RecursionError, ValueError, TypeError, AttributeError, KeyError, IndexError):
                continue
            if found and not any(isinstance(one, exp.Command) for one in found):
                return tuple(found)
    return ()


@contextmanager
def _silent() -> Iterator[None]:
    """Keep sqlglot's warnings off the terminal: what it cannot read is listed by us."""
    log = logging.getLogger("sqlglot")
    before = log.disabled
    log.disabled = True
    try:
        yield
    finally:
        log.disabled = before
