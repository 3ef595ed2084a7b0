"""Which tables are a queue's: by their names, and where a name is not known, by where the code stands."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from pytest_taskq.review.templates import HOLE

if TYPE_CHECKING:
    from pytest_taskq.review.statements import Statement

_NOUNS = ("task", "job", "queue", "message", "outbox", "inbox", "worker", "schedule", "scheduler")
_WHOLE = frozenset({"msg", "backlog", "dlq", "lease"})
# Beside any noun these say that rows wait for their turn: delayed_events, scheduled_mails.
_WAITING = frozenset({"scheduled", "delayed", "pending", "queued", "deferred"})
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def is_queue_name(name: str) -> bool:
    """Whether a name speaks of a queue: one of its words is a task, job, queue or message."""
    words = [one.lower() for one in _WORD.findall(name.replace(HOLE, ""))]
    if any(one.removesuffix("s").endswith(_NOUNS) or "queue" in one or one.startswith("taskq") for one in words):
        return True
    return not _WHOLE.isdisjoint(one.removesuffix("s") for one in words) or (
        len(words) > 1 and not _WAITING.isdisjoint(words)
    )


def is_on_queue(statement: Statement) -> bool:
    """Whether a query or change has a queue's table; a table that is not known is one in code that is named so."""
    return any(_is_queue(statement, name) for name in statement.table_names)


def _is_queue(statement: Statement, name: str) -> bool:
    holes = statement.holes_in(name)
    if is_queue_name(name) or not holes:
        return is_queue_name(name)
    if any(is_queue_name(f"{one.guess or ''} {ast.unparse(one.node)}") for one in holes):
        return True
    scope = holes[0].scope
    owner = scope.class_scope
    return is_queue_name(f"{owner.name if owner else ''} {scope.module.source.module}")
