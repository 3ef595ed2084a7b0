"""All sources of a review together: which module defines a name, and who calls a function."""

from __future__ import annotations

import ast
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_taskq.review.scopes import Scope, module_of
from pytest_taskq.review.sources import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_taskq.review.scopes import Function, Module
    from pytest_taskq.review.sources import Source

_FEW = 12  # callers looked at; what is true of the first dozen is taken for what is true
_PLACEHOLDERS = ("?", "%s")


class Project:
    """The modules that are worth reading, and others where an import leads to them."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._by_name = {source.module: source for source in sources}
        self._modules: dict[str, Module | None] = {}
        self.unreadable: list[tuple[Source, str]] = []
        self.modules: list[Module] = []
        for source in sources:
            if source.is_worth_reading:
                self._take(source)

    def _take(self, source: Source) -> None:
        try:
            module = module_of(source)
        except UnreadableError as error:
            self.unreadable.append((source, str(error)))
            return
        self.modules.append(module)
        if self._by_name.get(source.module) is source:
            self._modules[source.module] = module

    def module(self, name: str) -> Module | None:
        """Return the module that is imported by this name, None if it is not among the sources."""
        if name not in self._modules:
            source = self._by_name.get(name)
            try:
                self._modules[name] = module_of(source) if source else None
            except UnreadableError:
                self._modules[name] = None
        return self._modules[name]

    def definition(self, dotted: str) -> tuple[Scope, str] | None:
        """Return scope and name of what ``package.module.name`` is, followed through what packages import again."""
        for _ in range(5):
            holder, _, name = dotted.rpartition(".")
            module = self.module(holder) if holder else None
            if module is None:
                return None
            if name in module.top.bindings:
                return module.top, name
            if name not in module.imports:
                return None
            dotted = module.imports[name]
        return None

    def dotted(self, expression: ast.expr, scope: Scope) -> str:
        """Return the dotted name with its import resolved (``sql.SQL`` is ``psycopg.sql.SQL``), empty if it is none."""
        match expression:
            case ast.Name(id=name):
                return scope.module.imports.get(name, name) if scope.owner_of(name) is None else name
            case ast.Attribute(value=value, attr=attr):
                start = self.dotted(value, scope)
                return f"{start}.{attr}" if start else ""
            case _:
                return ""

    def defined(self, expression: ast.expr, scope: Scope) -> tuple[Scope, str] | None:
        """Return scope and name of what a name or ``module.name`` refers to, if it is among the sources."""
        if isinstance(expression, ast.Name):
            owner = scope.owner_of(expression.id)
            if owner is not None:
                return owner, expression.id
        dotted = self.dotted(expression, scope)
        return self.definition(dotted) if "." in dotted else None

    def class_of(self, expression: ast.expr, scope: Scope) -> Scope | None:
        """Return the scope of the class that the expression names."""
        return self._scope_defined(expression, scope, "class")

    def function_of(self, expression: ast.expr, scope: Scope) -> Scope | None:
        """Return the scope of the function that the expression names: its own or a module's, or a method of self."""
        match expression:
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
                owner = scope.class_scope
                return self.method(owner, name) if owner else None
            case _:
                return self._scope_defined(expression, scope, "def")

    def _scope_defined(self, expression: ast.expr, scope: Scope, how: str) -> Scope | None:
        found = self.defined(expression, scope)
        if found is None:
            return None
        owner, name = found
        bindings = owner.bindings.get(name, [])
        if len(bindings) == 1 and bindings[0].how == how:
            return owner.module.scopes.get(bindings[0].node)
        return None

    def bases(self, scope: Scope) -> list[Scope]:
        """Return the class and those it derives from, as far as they are among the sources."""
        found = [scope]
        for one in found:
            node = one.node
            if isinstance(node, ast.ClassDef) and len(found) < _FEW:
                above = (self.class_of(base, one.parent or one) for base in node.bases)
                found += [base for base in above if base is not None and base not in found]
        return found

    def base_names(self, scope: Scope) -> set[str]:
        """Return the dotted names of all classes that it derives from."""
        return {
            self.dotted(base, one.parent or one)
            for one in self.bases(scope)
            if isinstance(one.node, ast.ClassDef)
            for base in one.node.bases
        }

    def method(self, scope: Scope, name: str) -> Scope | None:
        """Return the method of a class or of one that it derives from."""
        for one in self.bases(scope):
            bindings = one.bindings.get(name, [])
            if bindings and bindings[-1].how == "def":
                return one.module.scopes.get(bindings[-1].node)
        return None

    @cached_property
    def placeholder_names(self) -> frozenset[str]:
        """The attributes that classes set to a placeholder, as those of several drivers do: ``marker = "?"``."""
        classes = [
            scope for module in self.modules for scope in module.scopes.values() if isinstance(scope.node, ast.ClassDef)
        ]
        values = [(name, one.value) for scope in classes for name, every in scope.bindings.items() for one in every]
        for scope in classes:
            values += [(name, value) for name, every in scope.attributes.items() for value, _ in every]
        return frozenset(
            name for name, value in values if isinstance(value, ast.Constant) and value.value in _PLACEHOLDERS
        )

    @cached_property
    def _calls(self) -> dict[str, list[tuple[ast.Call, Scope]]]:
        calls: dict[str, list[tuple[ast.Call, Scope]]] = defaultdict(list)
        for module in self.modules:
            for call, scope in module.calls:
                match call.func:
                    case ast.Name(id=name):
                        origin = module.imports.get(name, name).rpartition(".")[2]
                        calls[origin].append((call, scope))
                    case ast.Attribute(attr=name):
                        calls[name].append((call, scope))
                    case _:
                        pass
        return calls

    def callers(self, function: Scope) -> list[tuple[ast.Call, Scope]]:
        """Return the calls that may be of this function: by its name, a constructor's by that of its class."""
        if function.name == "__init__" and function.class_scope:
            return self._calls.get(function.class_scope.name, [])[:_FEW]
        return [
            (call, scope)
            for call, scope in self._calls.get(function.name, [])[:_FEW]
            if self._may_be(call, scope, function)
        ]

    def _may_be(self, call: ast.Call, scope: Scope, function: Scope) -> bool:
        is_method = isinstance(function.parent and function.parent.node, ast.ClassDef)
        if isinstance(call.func, ast.Name):
            return not is_method and self.function_of(call.func, scope) is function
        return is_method or self.function_of(call.func, scope) is function

    @staticmethod
    def argument(call: ast.Call, function: Scope, name: str) -> ast.expr | None:
        """Return what a call gives to the parameter, None if it leaves it out or nobody can say."""
        for keyword in call.keywords:
            if keyword.arg == name:
                return keyword.value
        node = function.node
        if isinstance(node, ast.Module | ast.ClassDef) or any(isinstance(one, ast.Starred) for one in call.args):
            return None
        names = [one.arg for one in (*node.args.posonlyargs, *node.args.args)]
        if function.parent and isinstance(function.parent.node, ast.ClassDef) and names and not _is_static(node):
            names = names[1:]
        position = names.index(name) if name in names else len(call.args)
        return call.args[position] if position < len(call.args) else None


def _is_static(node: Function | ast.Lambda) -> bool:
    decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
    return any(isinstance(one, ast.Name) and one.id == "staticmethod" for one in decorators)
