"""Names in a module: where each is bound, and to what."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_taskq.review.sources import Source

Function = ast.FunctionDef | ast.AsyncFunctionDef
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_OTHERS = frozenset({"wmi", "cassandra", "simple_salesforce", "influxdb"})


@dataclass(frozen=True, slots=True)
class Binding:
    """One place where a name gets its value.

    ``how`` is one of ``=``, ``+=``, ``with``, ``for`` (an element of ``value``), ``part`` (one of several that
    ``value`` is unpacked into), ``parameter`` (``value`` is the default), ``except``, ``def``, ``class``; ``node`` is
    the statement.
    """

    how: str
    node: ast.AST
    value: ast.expr | None = None
    annotation: ast.expr | None = None

    @property
    def line(self) -> int:
        """The line where it begins, 0 if it has none."""
        return getattr(self.node, "lineno", 0)


@dataclass(eq=False)
class Scope:
    """A module, class or function with the names bound in it."""

    node: ast.Module | ast.ClassDef | Function | ast.Lambda
    module: Module
    parent: Scope | None
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    attributes: dict[str, list[tuple[ast.expr, Scope]]] = field(default_factory=dict)  # of a class: self.name = ...

    @property
    def is_function(self) -> bool:
        """Whether it is a function's or lambda's."""
        return isinstance(self.node, _FUNCTIONS)

    @property
    def name(self) -> str:
        """The name of the class or function, empty for a module."""
        return getattr(self.node, "name", "")

    @property
    def class_scope(self) -> Scope | None:
        """The class whose method this code is in, None outside of classes."""
        scope: Scope | None = self
        while scope is not None and not isinstance(scope.node, ast.ClassDef):
            scope = scope.parent
        return scope

    def owner_of(self, name: str) -> Scope | None:
        """The scope whose name this is, seen from here; names of a class are not seen from its methods."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.bindings and (scope is self or not isinstance(scope.node, ast.ClassDef)):
                return scope
            scope = scope.parent
        return None

    def bind(self, name: str, binding: Binding) -> None:
        """Note one binding."""
        self.bindings.setdefault(name, []).append(binding)


@dataclass(eq=False)
class Module:
    """A parsed file with its scopes, and the parent of every node."""

    source: Source
    imports: dict[str, str] = field(default_factory=dict)  # local name -> dotted origin
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)
    scopes: dict[ast.AST, Scope] = field(default_factory=dict)
    calls: list[tuple[ast.Call, Scope]] = field(default_factory=list)
    appended: dict[str, list[tuple[ast.expr, Scope]]] = field(default_factory=dict)  # what name.append(...) is given

    @property
    def is_of_other_language(self) -> bool:
        """Whether its queries look like SQL and go elsewhere: to Windows' WMI, to Cassandra, to Salesforce."""
        return not _OTHERS.isdisjoint(origin.partition(".")[0] for origin in self.imports.values())

    @property
    def top(self) -> Scope:
        """The module's own scope."""
        return self.scopes[self.source.tree]

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield what the node lies in, from the inside out."""
        while node in self.parents:
            node = self.parents[node]
            yield node

    def scope_of(self, node: ast.AST) -> Scope:
        """Return the scope whose code the node is."""
        found = (self.scopes[one] for one in self.ancestors(node) if one in self.scopes)
        return next(found, self.top)

    def statement_of(self, node: ast.AST) -> ast.AST:
        """Return the statement that the node is a part of."""
        return next((one for one in (node, *self.ancestors(node)) if isinstance(one, ast.stmt)), node)


def module_of(source: Source) -> Module:
    """Return the module. Raises UnreadableError if the source cannot be parsed."""
    module = Module(source)
    tree = source.tree
    module.scopes[tree] = Scope(tree, module, None)
    _enter(tree, module.top)
    return module


def _enter(root: ast.AST, scope: Scope) -> None:
    """Note what is below ``root``; without recursion, since sources may be nested deeper than Python's stack."""
    module = scope.module
    waiting: list[tuple[ast.AST, Scope]] = [(root, scope)]
    while waiting:
        node, scope = waiting.pop()
        _note(node, scope)
        inner = module.scopes.get(node, scope)
        children = list(ast.iter_child_nodes(node))
        for child in children:
            module.parents[child] = node
            if isinstance(child, (*_FUNCTIONS, ast.ClassDef)):
                module.scopes[child] = Scope(child, module, inner)
        waiting += [(child, inner) for child in reversed(children)]


def _note(node: ast.AST, scope: Scope) -> None:
    match node:
        case ast.Call():
            scope.module.calls.append((node, scope))
            _note_append(node, scope)
        case ast.Import() | ast.ImportFrom():
            _note_import(node, scope.module)
        case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
            _note_definition(node, scope)
        case ast.Assign() | ast.AnnAssign() | ast.AugAssign() | ast.NamedExpr():
            _note_assignment(node, scope)
        case _:
            _note_block(node, scope)


def _note_append(node: ast.Call, scope: Scope) -> None:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[added, *_]):
            scope.module.appended.setdefault(name, []).append((added, scope))
        case _:
            pass


def _note_assignment(node: ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr, scope: Scope) -> None:
    match node:
        case ast.Assign():
            for target in node.targets:
                _bind(target, "=", node, node.value, scope)
        case ast.AnnAssign(target=ast.Name(id=name)):
            scope.bind(name, Binding("=", node, node.value, node.annotation))
        case ast.AnnAssign(target=ast.Attribute(), value=ast.expr() as value):
            _bind(node.target, "=", node, value, scope)
        case ast.AugAssign(target=ast.Name(id=name)):
            scope.bind(name, Binding("+=" if isinstance(node.op, ast.Add) else "?", node, node.value))
        case ast.NamedExpr():
            _bind(node.target, "=", node, node.value, scope)
        case _:
            pass


def _note_block(node: ast.AST, scope: Scope) -> None:
    match node:
        case ast.For() | ast.AsyncFor() | ast.comprehension():
            _bind(node.target, "for", node, node.iter, scope)
        case ast.With() | ast.AsyncWith():
            for item in node.items:
                if item.optional_vars is not None:
                    _bind(item.optional_vars, "with", node, item.context_expr, scope)
        case ast.ExceptHandler(name=str(name)):
            scope.bind(name, Binding("except", node))
        case _:
            pass


def _note_definition(node: ast.ClassDef | Function | ast.Lambda, scope: Scope) -> None:
    if isinstance(node, ast.ClassDef):
        scope.bind(node.name, Binding("class", node))
        return
    if not isinstance(node, ast.Lambda):
        scope.bind(node.name, Binding("def", node))
    _note_parameters(node, scope.module.scopes[node])


def _bind(target: ast.expr, how: str, node: ast.AST, value: ast.expr, scope: Scope) -> None:
    match target:
        case ast.Name(id=name):
            scope.bind(name, Binding(how, node, value))
        case ast.Tuple(elts=targets) | ast.List(elts=targets):
            values: list[ast.expr] | None = None
            if how == "=" and isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(targets):
                values = value.elts
            for number, one in enumerate(targets):
                _bind(one, how if values else "part", node, values[number] if values else value, scope)
        case ast.Starred(value=inner):
            _bind(inner, "part", node, value, scope)
        case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name) if how == "=" and scope.class_scope:
            scope.class_scope.attributes.setdefault(name, []).append((value, scope))
        case _:
            pass


def _note_parameters(node: Function | ast.Lambda, scope: Scope) -> None:
    given = node.args
    positional = [*given.posonlyargs, *given.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(given.defaults))
    both = [
        *zip(positional, [*defaults, *given.defaults], strict=True),
        *zip(given.kwonlyargs, given.kw_defaults, strict=True),
    ]
    for argument, default in both:
        scope.bind(argument.arg, Binding("parameter", node, default, argument.annotation))
    for rest in (given.vararg, given.kwarg):
        if rest is not None:
            scope.bind(rest.arg, Binding("parameter", node))


def _note_import(node: ast.Import | ast.ImportFrom, module: Module) -> None:
    if isinstance(node, ast.Import):
        for one in node.names:
            local = one.asname or one.name.partition(".")[0]
            module.imports[local] = one.name if one.asname else local
        return
    origin = node.module or ""
    if node.level:
        package = module.source.module.split(".")
        is_package = module.source.path.stem == "__init__"
        kept = package[: len(package) - node.level + is_package]
        origin = ".".join([*kept, *([origin] if origin else [])])
    for one in node.names:
        module.imports[one.asname or one.name] = f"{origin}.{one.name}"
