"""REV-10: errors of the database that nobody hears of."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from pytest_taskq.contract.methods import METHODS
from pytest_taskq.review.reading import Seen
from pytest_taskq.review.statements import EXECUTORS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_taskq.review.reading import Reading
    from pytest_taskq.review.scopes import Scope

_BROAD = frozenset({"Exception", "BaseException"})
# What a driver raises for whatever goes wrong, a locked database too.
_OF_DRIVERS = frozenset(
    {"sqlite3.Error", "sqlite3.DatabaseError", "psycopg.Error", "psycopg2.Error", "asyncpg.PostgresError"}
    | {"sqlalchemy.exc.SQLAlchemyError"}
)
_OF_QUEUE = frozenset({"QueueDatabaseError"})
_TELLS = frozenset(
    {"exception", "print_exc", "print_exception", "format_exc", "exc_info", "capture_exception", "excepthook"}
    | {"warning", "warn", "error", "critical", "fatal", "print", "echo"}
)
# A method that is called so deals with the error: handle_error(), on_failure(), mark_failed().
_DEALS = re.compile(
    r"(?:^|_)(?:error|exc|exception|fail|failed|failure|failures|traceback|alert)(?:_|$)", re.IGNORECASE
)


def swallowed(reading: Reading) -> Iterator[Seen]:
    """REV-10: a broad handler around SQL or a verb of the queue that neither raises nor hands the error on."""
    for node in reading.module.parents:
        if isinstance(node, ast.Try) and _reaches_database(reading, node.body):
            for handler in node.handlers:
                if _is_told(handler.type, _OF_QUEUE):
                    break
                if _is_broad(reading, handler) and not _tells(handler):
                    name = f"except {ast.unparse(handler.type)}" if handler.type else "a bare except"
                    yield Seen(
                        "REV-10", reading.module, handler, f"{name} takes an error of the database and tells nobody"
                    )
        elif (
            isinstance(node, ast.With | ast.AsyncWith)
            and _suppresses(reading, node)
            and _reaches_database(reading, node.body)
        ):
            yield Seen(
                "REV-10", reading.module, node, "suppress(Exception) takes an error of the database and tells nobody"
            )


def _names(node: ast.expr | None) -> set[str]:
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return {
        one.attr if isinstance(one, ast.Attribute) else one.id
        for one in parts
        if isinstance(one, ast.Attribute | ast.Name)
    }


def _is_told(node: ast.expr | None, names: frozenset[str]) -> bool:
    return not names.isdisjoint(_names(node))


def _is_broad(reading: Reading, handler: ast.ExceptHandler) -> bool:
    caught = handler.type
    if caught is None or _is_told(caught, _BROAD):
        return True
    parts = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    scope = reading.scope(handler)
    return any(reading.project.dotted(one, scope) in _OF_DRIVERS for one in parts)


def _suppresses(reading: Reading, node: ast.With | ast.AsyncWith) -> bool:
    for item in node.items:
        match item.context_expr:
            case ast.Call(func=function, args=args) if reading.project.dotted(function, reading.scope(node)).endswith(
                "suppress"
            ):
                if any(_is_told(one, _BROAD) for one in args):
                    return True
            case _:
                pass
    return False


def _tells(handler: ast.ExceptHandler) -> bool:
    """Whether the error goes on: raised, named in anything, logged as a warning or worse, or dealt with elsewhere."""
    for node in (below for one in handler.body for below in ast.walk(one)):
        match node:
            case ast.Raise():
                return True
            case ast.Name(id=name) if name == handler.name:
                return True
            case ast.Attribute(attr=name) | ast.Name(id=name) | ast.keyword(arg=str(name)) if name in _TELLS:
                return True
            case ast.Call(func=ast.Attribute(attr="exit" | "_exit" | "abort")):
                return True
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if _DEALS.search(name):
                return True
            case _:
                pass
    return False


def _reaches_database(reading: Reading, body: list[ast.stmt]) -> bool:
    """Whether the statements run SQL on a table, or call a verb of the queue, themselves or in a helper of theirs."""
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and (_runs(reading, node) or _runs_in_helper(reading, node)):
                return True
    return False


def _runs(reading: Reading, call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute):
        return False
    if reading.uses_queue and call.func.attr in METHODS:
        return True
    return call.func.attr in EXECUTORS and id(call) in reading.calls_on_queue


def _runs_in_helper(reading: Reading, call: ast.Call) -> bool:
    function: Scope | None = reading.project.function_of(call.func, reading.scope(call))
    if function is None or function.module is not reading.module:
        return False
    known = reading.calls_on_queue
    return any(id(run.call) in known for _, run in reading.runs if run.scope is function and run.method in EXECUTORS)
