"""What is known of one module when the rules are asked, and what they answer."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_taskq.review.queues import is_on_queue

if TYPE_CHECKING:
    from pytest_taskq.review.evaluation.evaluator import Evaluator
    from pytest_taskq.review.origins import Origins, Tracer
    from pytest_taskq.review.project import Project
    from pytest_taskq.review.scopes import Module, Scope
    from pytest_taskq.review.statements import Run, Statement


@dataclass(frozen=True, slots=True)
class Seen:
    """What a rule saw at a node; ``below`` counts lines from its beginning, inside a text of several lines."""

    rule: str
    module: Module
    node: ast.AST
    text: str
    below: int = 0


@dataclass(frozen=True)
class Reading:
    """A module, its SQL, and those who answer questions about it."""

    module: Module
    statements: tuple[Statement, ...]
    project: Project
    evaluator: Evaluator
    tracer: Tracer

    @property
    def is_test(self) -> bool:
        """Whether it is no production code."""
        return self.module.source.is_test

    @cached_property
    def runs(self) -> tuple[tuple[Statement, Run], ...]:
        """The statements that are seen to run, in the order of their lines."""
        found = [(one, one.run) for one in self.statements if one.run is not None]
        return tuple(sorted(found, key=lambda pair: (pair[1].call.lineno, pair[1].call.col_offset)))

    @cached_property
    def uses_queue(self) -> bool:
        """Whether the module works with ``QueueDatabase``."""
        return self.tracer.uses_queue(self.module)

    def is_of_queue(self, statement: Statement) -> bool:
        """Whether a query or change is a queue's: any in code that uses ``QueueDatabase``, else by its tables."""
        return self.uses_queue or is_on_queue(statement)

    @cached_property
    def is_about_queue(self) -> bool:
        """Whether any of the SQL is a queue's, or the queue is used."""
        return self.uses_queue or any(map(is_on_queue, self.statements))

    @cached_property
    def calls_on_queue(self) -> frozenset[int]:
        """The calls, by their ``id()``, that run a query or change of a queue's tables."""
        return frozenset(id(run.call) for one, run in self.runs if one.tables and self.is_of_queue(one))

    def origins(self, run: Run) -> Origins:
        """Return what the SQL is run on."""
        return self.tracer.of(run.receiver, run.scope)

    def withs_around(self, node: ast.AST) -> list[ast.expr]:
        """Return what is entered around a node in its own function, from the inside out."""
        found: list[ast.expr] = []
        for above in self.module.ancestors(node):
            if isinstance(above, ast.With | ast.AsyncWith):
                found += [item.context_expr for item in reversed(above.items)]
            if isinstance(above, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                break
        return found

    def names_in(self, node: ast.AST) -> set[str]:
        """Return every name that is used below a node."""
        return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}

    def scope(self, node: ast.AST) -> Scope:
        """Return the scope of a node."""
        return self.module.scope_of(node)
