"""What a function returns."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_taskq.review.scopes import Scope


def returned_by(function: Scope) -> list[ast.expr | None]:
    """Return the expressions of its returns, None for a bare one; those of functions inside it are not its own."""
    module = function.module
    found = (node for node in ast.walk(function.node) if isinstance(node, ast.Return))
    return [one.value for one in found if module.scope_of(one) is function]
