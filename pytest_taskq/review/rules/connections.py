"""REV-01, REV-02, REV-06: what runs on which connection of the queue's database."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pytest_taskq.review.origins import Origin
from pytest_taskq.review.reading import Seen
from pytest_taskq.review.statements import EXECUTORS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_taskq.review.reading import Reading
    from pytest_taskq.review.statements import Statement

_OTHERS = frozenset({Origin.CONNECTION, Origin.DEPRECATED})
_SHARED = frozenset({"task_queue", "workers", "task_logs"})


def writes_outside_transactions(reading: Reading) -> Iterator[Seen]:
    """REV-01: a change that runs on anything of the queue's database but a transaction."""
    for statement, run in reading.runs:
        if run.method not in EXECUTORS or not statement.writes:
            continue
        origins = reading.origins(run)
        is_raw = Origin.SQLITE in origins and reading.uses_queue and not _SHARED.isdisjoint(statement.tables)
        if (origins & _OTHERS or is_raw) and not _is_inside_transaction(reading, run.call):
            where = next(one for one in Origin if one in origins)
            yield Seen("REV-01", reading.module, run.call, f"this {statement.verb.upper()} runs on {where.value}")


def reads_inside_transactions(reading: Reading) -> Iterator[Seen]:
    """REV-02: a transaction that only reads. Of a read on ``get_connection()`` REV-06 speaks."""
    for node in _transactions(reading):
        uses = _uses(reading, node)
        if uses is not None and uses and all(one.reads for one in uses):
            seen = "nothing is written inside this transaction, which holds the write lock from its first line"
            yield Seen("REV-02", reading.module, node, seen)


def raw_connections(reading: Reading) -> Iterator[Seen]:
    """REV-06: the deprecated way to a connection, and the one past the queue's database."""
    for call, scope in reading.module.calls:
        if not isinstance(call.func, ast.Attribute | ast.Name):
            continue
        is_asked = isinstance(call.func, ast.Attribute) and call.func.attr == "get_connection"
        if is_asked and Origin.DEPRECATED in reading.tracer.of(call, scope):
            yield Seen("REV-06", reading.module, call, "get_connection() is deprecated")
        elif reading.project.dotted(call.func, scope) == "sqlite3.connect" and _is_on_queue(reading, call):
            yield Seen("REV-06", reading.module, call, "sqlite3.connect() opens the queue past QueueDatabase")


def _transactions(reading: Reading) -> Iterator[ast.With | ast.AsyncWith]:
    for node in reading.module.parents:
        if isinstance(node, ast.With | ast.AsyncWith):
            entered = (item.context_expr for item in node.items if isinstance(item.context_expr, ast.Call))
            scope = reading.scope(node)
            if any(reading.tracer.entered(one, scope) == {Origin.TRANSACTION} for one in entered):
                yield node


def _uses(reading: Reading, node: ast.With | ast.AsyncWith) -> list[Statement] | None:
    """Return the SQL that runs in the block; None if the connection goes where nobody follows, or SQL is unknown."""
    names = {one.optional_vars.id for one in node.items if isinstance(one.optional_vars, ast.Name)}
    known = {id(run.call): statement for statement, run in reading.runs}
    found: list[Statement] = []
    for below in ast.walk(node):
        if not isinstance(below, ast.Name) or below.id not in names or isinstance(below.ctx, ast.Store):
            continue
        attribute = reading.module.parents.get(below)
        call = reading.module.parents.get(attribute) if isinstance(attribute, ast.Attribute) else None
        if id(call) not in known:
            return None
        found.append(known[id(call)])
    return found


def _is_inside_transaction(reading: Reading, node: ast.AST) -> bool:
    """Whether a transaction of this thread is open around the node: connection() then yields that one's."""
    scope = reading.scope(node)
    return any(Origin.TRANSACTION in reading.tracer.entered(one, scope) for one in reading.withs_around(node))


def _is_on_queue(reading: Reading, call: ast.Call) -> bool:
    """Whether the file that is opened is the queue's: by the path it is given, or by the tables that are used on it."""
    if not reading.uses_queue or not call.args:
        return False
    scope = reading.scope(call)
    for node in ast.walk(call.args[0]):
        if (
            isinstance(node, ast.Attribute)
            and node.attr == "path"
            and Origin.DATABASE in reading.tracer.of(node.value, scope)
        ):
            return True
    path = ast.unparse(call.args[0])
    if any(
        _opens_queue(reading, other) and other.args and ast.unparse(other.args[0]) == path
        for other, _ in reading.module.calls
    ):
        return True
    function = reading.scope(call)
    return any(
        not _SHARED.isdisjoint(statement.tables)
        and Origin.SQLITE in reading.origins(run)
        and function in (run.scope, reading.module.top)
        for statement, run in reading.runs
    )


def _opens_queue(reading: Reading, call: ast.Call) -> bool:
    is_other = reading.project.dotted(call.func, reading.scope(call)) != "sqlite3.connect"
    return is_other and Origin.DATABASE in reading.tracer.of(call, reading.scope(call))
