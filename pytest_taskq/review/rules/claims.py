"""REV-07: what is read outside of a write transaction and then written without a second look."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from pytest_taskq.review.origins import Origin
from pytest_taskq.review.reading import Seen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlglot import exp

    from pytest_taskq.review.reading import Reading
    from pytest_taskq.review.scopes import Scope
    from pytest_taskq.review.statements import Run, Statement

# Entered, these begin no write transaction. Whatever else is entered may, or may hold a lock: then nothing is said.
_HARMLESS = frozenset(
    {"cursor", "closing", "connect", "suppress", "connection", "acquire", "getconn", "get_connection"}
)
_BEGUN = re.compile(
    r"begin\s+(?:immediate|exclusive)|isolation_level\s*=\s*['\"](?:immediate|exclusive)", re.IGNORECASE
)
# Columns that say which row, not in which state it is.
_KEYS = re.compile(r"(?:id|rowid|oid|uuid|key|pk|name|queue|type|tenant|.*_(?:id|key|uuid|name))", re.IGNORECASE)


def unguarded_updates(reading: Reading) -> Iterator[Seen]:
    """REV-07: an UPDATE of a row that a SELECT outside of a write transaction chose, which looks at its key alone."""
    by_function: dict[Scope, list[tuple[Statement, Run]]] = {}
    for statement, run in reading.runs:
        if not reading.is_of_queue(statement):
            continue
        by_function.setdefault(run.scope, []).append((statement, run))
    for function, runs in by_function.items():
        if function.is_function:
            yield from _in_function(reading, function, runs)


def _in_function(reading: Reading, function: Scope, runs: list[tuple[Statement, Run]]) -> Iterator[Seen]:
    reads = [(one, run) for one, run in runs if _chooses(one) and _is_surely_outside(reading, run)]
    changes = [(one, run) for one, run in runs if one.verb == "update" and not _is_guarded(one)]
    for change, writer in changes:
        for choice, reader in reads:
            names = _fed_by(reading, function, reader.call)
            is_later = writer.call.lineno > reader.call.lineno or writer.call in ast.walk(
                reading.module.statement_of(reader.call)
            )
            uses = set().union(*(reading.names_in(one) for one in writer.parameters), *(
                reading.names_in(hole.node) for hole in change.template.holes
            ))  # fmt: skip
            if is_later and choice.tables & change.tables and names & uses:
                seen = (
                    f"this UPDATE writes what the SELECT in line {reader.call.lineno} chose, outside of a write "
                    "transaction, and looks at the key alone"
                )
                yield Seen("REV-07", reading.module, writer.call, seen)
                break


def _chooses(statement: Statement) -> bool:
    """Whether it picks rows by their state, or some of many; of a row that is named nothing is claimed."""
    from sqlglot import exp

    if not statement.reads or not statement.tables or any(one.find(exp.Lock) for one in statement.parsed):
        return False
    return any(one.args.get("limit") or _looks_at_state(one, statement) for one in statement.parsed)


def _looks_at_state(whole: exp.Expr, statement: Statement) -> bool:
    """Whether the WHERE asks for more than which row it is."""
    from sqlglot import exp

    where = whole.args.get("where")
    if where is None:
        return False
    parts = list(where.this.flatten()) if isinstance(where.this, exp.And) else [where.this]
    return not all(_is_key(part.unnest(), statement) for part in parts)


def _is_surely_outside(reading: Reading, run: Run) -> bool:
    """Whether the read is outside of a write transaction; False where nobody can tell."""
    origins = reading.origins(run)
    if Origin.TRANSACTION in origins:
        return False
    around = reading.withs_around(run.call)
    if any(Origin.TRANSACTION in reading.tracer.entered(one, run.scope) for one in around):
        return False
    if origins & {Origin.CONNECTION, Origin.DEPRECATED}:
        return True
    if _BEGUN.search(reading.module.source.text):
        return False
    if not all(_is_harmless(one) or Origin.SQLITE in reading.tracer.of(one, run.scope) for one in around):
        return False
    return Origin.SQLITE in origins or _is_own_connection(run)


def _is_own_connection(run: Run) -> bool:
    """Whether the function made its connection or cursor, or has it of its object; a caller's may be in anything."""
    node = run.receiver
    while isinstance(node, ast.Call | ast.Attribute):
        node = node.func if isinstance(node, ast.Call) else node.value
    if not isinstance(node, ast.Name):
        return False
    if node.id == "self":
        return True
    bindings = run.scope.bindings.get(node.id, [])
    return bool(bindings) and all(one.how in {"=", "with"} for one in bindings)


def _is_harmless(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
            return name in _HARMLESS and not node.keywords
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return re.search(r"conn|cur|db", name) is not None and "lock" not in name
        case _:
            return False


def _fed_by(reading: Reading, function: Scope, call: ast.Call) -> set[str]:
    """Return the names that hold the result of a call, or something made of it."""
    values = [
        (name, one.value)
        for name, bindings in function.bindings.items()
        for one in bindings
        if one.value is not None and one.how not in {"parameter", "with"}
    ]
    fed = {name for name, value in values if any(node is call for node in ast.walk(value))}
    # `cursor.execute(...)`, then `cursor.fetchone()`: the result comes out of the receiver.
    receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
    is_bare = isinstance(reading.module.parents.get(call), ast.Expr | ast.Await)
    if is_bare and isinstance(receiver, ast.Name) and not fed:
        fed = {name for name, value in values if _fetches(value, receiver.id)}
    for _ in range(4):
        fed |= {name for name, value in values if fed & reading.names_in(value)}
    return fed


def _fetches(node: ast.expr, name: str) -> bool:
    return any(
        isinstance(one, ast.Attribute)
        and one.attr.startswith("fetch")
        and isinstance(one.value, ast.Name)
        and one.value.id == name
        for one in ast.walk(node)
    )


def _is_guarded(statement: Statement) -> bool:
    """Whether the WHERE looks at more than which row it is, or at nothing that was chosen."""
    for whole in statement.parsed:
        if whole.args.get("where") is None or _looks_at_state(whole, statement):
            return True  # without WHERE these are all rows: nothing was chosen
    return not statement.parsed


def _is_key(part: exp.Expr, statement: Statement) -> bool:
    from sqlglot import exp

    if not isinstance(part, exp.EQ | exp.In) or not isinstance(part.this, exp.Column):
        return False
    if isinstance(part, exp.In) and part.args.get("query") is not None:
        return False
    return statement.hole(part.this.name) is None and _KEYS.fullmatch(part.this.name) is not None
