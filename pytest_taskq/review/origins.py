"""Where an object comes from: the queue's database, a transaction on it, another connection, the local clock."""

from __future__ import annotations

import ast
import re
from enum import Enum
from typing import TYPE_CHECKING

from pytest_taskq.review.evaluation.returns import returned_by

if TYPE_CHECKING:
    from pytest_taskq.review.project import Project
    from pytest_taskq.review.scopes import Binding, Module, Scope


class Origin(Enum):
    """What an expression is."""

    DATABASE = "the queue's database"
    TRANSACTION = "what db.transaction() yields"
    CONNECTION = "what db.connection() yields"
    DEPRECATED = "what db.get_connection() returns"
    SQLITE = "what sqlite3.connect() returns"


_KIT = "pytest_taskq"
_DATABASES = frozenset({"QueueDatabase", "Database"})
_MAKERS = frozenset({"QueueDatabase", "open_database", "from_dsn"})
_USED = frozenset({"QueueDatabase", "Database", "QueueAdapter", "Queue", "open_database", "TaskClaimerFactory"})
_ADAPTER = frozenset({"pytest_taskq.QueueAdapter", "pytest_taskq.adapter.QueueAdapter"})
_FIXTURE = "queue_db"
_CLOCKS = frozenset(
    {"time.time", "time.time_ns", "time.strftime", "time.localtime", "time.gmtime", "datetime.datetime.now"}
    | {"datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today", "django.utils.timezone.now"}
)
_NAMES_QUEUE = re.compile(r"pytest_taskq|QueueDatabase|queue_db")
_DEEPEST = 12
Origins = frozenset[Origin]
NOTHING: Origins = frozenset()


class Tracer:
    """Answers where expressions of a project come from; what it cannot tell comes from nowhere."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._depth = 0
        self._known: dict[tuple[Scope, str], Origins] = {}
        self._returned: dict[Scope, Origins] = {}
        self._is_queue_named = any(_NAMES_QUEUE.search(one.source.text) for one in project.modules)

    def of(self, node: ast.expr | None, scope: Scope) -> Origins:
        """Return what the expression may be."""
        if node is None or self._depth > _DEEPEST:
            return NOTHING
        self._depth += 1
        try:
            return self._traced(node, scope)
        finally:
            self._depth -= 1

    def _traced(self, node: ast.expr, scope: Scope) -> Origins:
        match node:
            case ast.Await(value=inner) | ast.NamedExpr(value=inner):
                return self.of(inner, scope)
            case ast.IfExp():
                return self.of(node.body, scope) | self.of(node.orelse, scope)
            case ast.BoolOp(values=values):
                return frozenset().union(*(self.of(one, scope) for one in values))
            case ast.Name():
                return self._name(node, scope)
            case ast.Attribute():
                return self._attribute(node, scope)
            case ast.Call():
                return self._call(node, scope)
            case _:
                return NOTHING

    def _name(self, node: ast.Name, scope: Scope) -> Origins:
        found = self.project.defined(node, scope)
        if found is None:
            return NOTHING
        if found not in self._known:
            self._known[found] = NOTHING  # while it is looked for: a name may be bound to itself
            owner, name = found
            self._known[found] = frozenset().union(
                *(self._bound(binding, name, owner) for binding in owner.bindings[name])
            )
        return self._known[found]

    def _bound(self, binding: Binding, name: str, scope: Scope) -> Origins:
        if self._annotated(binding.annotation, scope):
            return frozenset({Origin.DATABASE})
        if binding.how == "=":
            return self.of(binding.value, scope)
        if binding.how == "with":
            return self.entered(binding.value, scope)
        if binding.how == "parameter":
            return self._parameter(name, scope)
        return NOTHING

    def _parameter(self, name: str, function: Scope) -> Origins:
        if name == _FIXTURE:
            return frozenset({Origin.DATABASE})
        if function.name == "" or name in {"self", "cls"}:
            return NOTHING
        found: Origins = NOTHING
        for call, scope in self.project.callers(function):
            found |= self.of(self.project.argument(call, function, name), scope)
        return found

    def _annotated(self, annotation: ast.expr | None, scope: Scope) -> bool:
        """Whether an annotation names the queue's database."""
        if annotation is None:
            return False
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            try:
                annotation = ast.parse(annotation.value, mode="eval").body
            except (SyntaxError, ValueError):
                return False
        for node in ast.walk(annotation):
            if isinstance(node, ast.Name | ast.Attribute):
                dotted = self.project.dotted(node, scope)
                if dotted.startswith(_KIT) and dotted.rpartition(".")[2] in _DATABASES:
                    return True
                if dotted.rpartition(".")[2] == "QueueDatabase":
                    return True
        return False

    def _attribute(self, node: ast.Attribute, scope: Scope) -> Origins:
        owner = scope.class_scope
        if not (isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}) or owner is None:
            return NOTHING
        if node.attr == "db" and self.is_adapter(owner):
            return frozenset({Origin.DATABASE})
        found: Origins = NOTHING
        for one in self.project.bases(owner):
            for binding in one.bindings.get(node.attr, []):
                found |= self._bound(binding, node.attr, one)
            for value, where in one.attributes.get(node.attr, []):
                found |= self.of(value, where)
        return found

    def _call(self, node: ast.Call, scope: Scope) -> Origins:
        dotted = self.project.dotted(node.func, scope)
        name = dotted.rpartition(".")[2]
        if dotted == "sqlite3.connect":
            return frozenset({Origin.SQLITE})
        if name in _MAKERS and (dotted.startswith(_KIT) or "QueueDatabase" in dotted):
            return frozenset({Origin.DATABASE})
        if isinstance(node.func, ast.Attribute):
            attr, value = node.func.attr, node.func.value
            if attr == "get_connection" and Origin.DATABASE in self.of(value, scope):
                return frozenset({Origin.DEPRECATED})
            if attr in {"cursor", "execute", "executemany"}:
                return self.of(value, scope)
            if attr in {"enter_context", "enter_async_context"} and node.args:
                return self.entered(node.args[0], scope)
        function = self.project.function_of(node.func, scope)
        if function is None:
            return NOTHING
        if function not in self._returned:
            self._returned[function] = NOTHING  # while it is looked for: functions call each other
            returned = (self.of(one, function) for one in returned_by(function))
            self._returned[function] = frozenset().union(*returned)
        return self._returned[function]

    def entered(self, node: ast.expr | None, scope: Scope) -> Origins:
        """Return what ``with node as name`` gives to the name."""
        match node:
            case ast.Call(func=ast.Attribute(value=value, attr="transaction")):
                return frozenset({Origin.TRANSACTION}) if Origin.DATABASE in self.of(value, scope) else NOTHING
            case ast.Call(func=ast.Attribute(value=value, attr="connection")):
                return frozenset({Origin.CONNECTION}) if Origin.DATABASE in self.of(value, scope) else NOTHING
            case ast.Call(args=[inner, *_]) if self.project.dotted(node.func, scope).endswith("closing"):
                return self.of(inner, scope)
            case _:
                return self.of(node, scope)

    def is_adapter(self, scope: Scope) -> bool:
        """Whether a class is a team's adapter."""
        return not _ADAPTER.isdisjoint(self.project.base_names(scope))

    def is_local_clock(self, node: ast.expr, scope: Scope, depth: int = 0) -> bool:
        """Whether the value is the time by the clock of the machine that runs this; a difference of two is none."""
        match node:
            case ast.Call():
                if self.project.dotted(node.func, scope) in _CLOCKS:
                    return True
                is_made = isinstance(node.func, ast.Attribute) and node.func.attr in {
                    "isoformat", "strftime", "timestamp", "replace", "astimezone"
                }  # fmt: skip
                wraps = self.project.dotted(node.func, scope) in {"int", "float", "str", "round"}
                inner = node.func.value if is_made and isinstance(node.func, ast.Attribute) else None
                inner = node.args[0] if wraps and node.args else inner
                return inner is not None and self.is_local_clock(inner, scope, depth)
            case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div()):
                left = self.is_local_clock(node.left, scope, depth)
                right = self.is_local_clock(node.right, scope, depth)
                return left != right
            case ast.FormattedValue(value=inner):
                return self.is_local_clock(inner, scope, depth)
            case ast.Name() if depth < _DEEPEST:
                found = self.project.defined(node, scope)
                bindings = found[0].bindings[found[1]] if found else []
                return bool(bindings) and all(
                    one.how == "=" and one.value is not None and self.is_local_clock(one.value, found[0], depth + 1)
                    for one in bindings
                    if found
                )
            case _:
                return False

    def uses_queue(self, module: Module) -> bool:
        """Whether a module works with ``QueueDatabase``: imports it or what holds it, or is given it."""
        for dotted in module.imports.values():
            if dotted.startswith(f"{_KIT}.") and dotted.rpartition(".")[2] in _USED:
                return True
        if not self._is_queue_named:
            return False
        called = ((call.func.value, scope) for call, scope in module.calls if isinstance(call.func, ast.Attribute))
        return any(self.of(value, scope) - {Origin.SQLITE} for value, scope in called)
