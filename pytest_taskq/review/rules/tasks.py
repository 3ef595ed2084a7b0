"""REV-05: rows and payloads that are turned into tasks by hand."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pytest_taskq.review.reading import Seen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_taskq.review.reading import Reading


def rows_by_hand(reading: Reading) -> Iterator[Seen]:
    """REV-05: ``Task(...)`` made of a row, and ``json.loads`` of a payload."""
    if not reading.uses_queue:
        return
    for call, scope in reading.module.calls:
        dotted = reading.project.dotted(call.func, scope)
        if dotted.startswith("pytest_taskq.") and dotted.endswith(".Task") and _is_of_row(call):
            yield Seen("REV-05", reading.module, call, "a task is put together from the columns of a row")
        elif dotted == "json.loads" and call.args and _is_payload(call.args[0]):
            seen = f"the payload `{ast.unparse(call.args[0])}` is parsed by hand"
            yield Seen("REV-05", reading.module, call, seen)


def _is_of_row(call: ast.Call) -> bool:
    if any(isinstance(one, ast.Starred) for one in call.args) or any(one.arg is None for one in call.keywords):
        return True
    values = (*call.args, *(one.value for one in call.keywords))
    return any(isinstance(node, ast.Subscript) for value in values for node in ast.walk(value))


def _is_payload(node: ast.expr) -> bool:
    match node:
        case ast.Attribute(attr="payload") | ast.Subscript(slice=ast.Constant(value="payload")):
            return True
        case ast.BoolOp(values=[first, *_]):
            return _is_payload(first)
        case _:
            return False
