"""Where an expression is evaluated."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ast
    from collections.abc import Mapping

    from pytest_taskq.review.evaluation.evaluator import Evaluator
    from pytest_taskq.review.project import Project
    from pytest_taskq.review.scopes import Scope
    from pytest_taskq.review.templates import Template

    Templates = tuple[Template, ...]
    Given = Mapping[tuple[Scope, str], Templates]

MOST = 8  # alternatives kept; a text put together from more switches than three is read in part


@dataclass(frozen=True)
class Frame:
    """The scope whose names an expression uses, and what a call has ``given`` to the parameters of a function."""

    evaluator: Evaluator
    scope: Scope
    given: Given = field(default_factory=dict)

    @property
    def project(self) -> Project:
        """All sources."""
        return self.evaluator.project

    def templates(self, node: ast.expr) -> Templates:
        """Return what the expression may be, at least one alternative; a hole alone if nothing is known of it."""
        return self.evaluator.alternatives(node, self)

    def at(self, scope: Scope) -> Frame:
        """Return the frame of an expression in another scope, of the same call."""
        return replace(self, scope=scope)

    def apart(self, scope: Scope, given: Given | None = None) -> Frame:
        """Return the frame of an expression in another scope, with nothing of this call."""
        return replace(self, scope=scope, given=given or {})
