"""What text an expression may be at run time, as far as the sources say."""

from __future__ import annotations

import ast
import re
import string
import textwrap
from typing import TYPE_CHECKING

from pytest_taskq.review.templates import EMPTY, Hole, Kind, Template, Text, joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_taskq.review.project import Project
    from pytest_taskq.review.scopes import Binding, Scope

    Given = Mapping[tuple[Scope, str], tuple[Template, ...]]

_MOST = 8  # alternatives kept; a text put together from more switches than three is read in part
_DEEPEST = 24
_LONGEST = 400  # steps for one text: names that are bound to each other would take for ever
_PERCENT = re.compile(r"%(?:\((?P<name>[^)]*)\))?[-#0 +]*(?:\*|\d+)?(?:\.\d+)?(?P<kind>[a-zA-Z%])")
_UNTOUCHED = {"strip", "lstrip", "rstrip", "lower", "upper", "encode", "decode", "expandtabs", "casefold", "as_string"}
_WRAPPERS = {"dedent", "cleandoc", "str", "text", "SQL", "LiteralString", "cast", "Composed"}
_NUMBERS = {"int", "float", "len", "bool"}
_QUOTED = {"Identifier", "Literal"}
# What is called so gives a placeholder or quotes; what is named so is configured by whoever deploys, and is no value.
_QUOTING = re.compile(r"bind|placeholder|param|quote|escape|literal|mogrify|ident", re.IGNORECASE)
_IDENTIFIER_NAME = re.compile(r"(?:^|_)(?:table|schema|column|index|sequence)s?(?:_|$)", re.IGNORECASE)
_CONSTANT_NAME = re.compile(r"_*[A-Z][A-Z0-9_]*")


class Evaluator:
    """Follows names, constants, helpers and the ways to put text together, through all modules of a project."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._depth = 0
        self._steps = 0
        self._cache: dict[ast.expr, tuple[Template, ...]] = {}

    def templates(self, node: ast.expr, scope: Scope, given: Given | None = None) -> tuple[Template, ...]:
        """Return what the expression may be, at least one alternative; a hole alone if nothing is known of it."""
        if not given and node in self._cache:
            return self._cache[node]
        if self._depth == 0:
            self._steps = 0
        self._steps += 1
        if self._depth > _DEEPEST or self._steps > _LONGEST:
            return _unknown(node, scope)
        self._depth += 1
        try:
            found = tuple(dict.fromkeys(self._evaluated(node, scope, given or {})))[:_MOST]
        finally:
            self._depth -= 1
        if not given and self._depth == 0:
            self._cache[node] = found
        return found

    def _evaluated(self, node: ast.expr, scope: Scope, given: Given) -> tuple[Template, ...]:
        match node:
            case ast.Constant(value=bytes()):
                return _unknown(node, scope)
            case ast.Constant(value=value):
                return (Template((Text(str(value), node, scope),)),)
            case ast.JoinedStr(values=values):
                return self._in_turn(values, scope, given)
            case ast.FormattedValue(value=value) | ast.Await(value=value) | ast.NamedExpr(value=value):
                return self.templates(value, scope, given)
            case ast.BinOp(op=ast.Add()):
                return self._in_turn((node.left, node.right), scope, given)
            case ast.BinOp(op=ast.Mult()):
                side = (
                    node.right
                    if isinstance(node.left, ast.Constant) and isinstance(node.left.value, int)
                    else node.left
                )
                return self.templates(side, scope, given)
            case ast.BinOp(op=ast.Mod()):
                return self._percent(node, scope, given)
            case ast.IfExp():
                return (*self.templates(node.body, scope, given), *self.templates(node.orelse, scope, given))
            case ast.BoolOp(values=values):
                return tuple(one for value in values for one in self.templates(value, scope, given))
            case ast.Name():
                return self._name(node, scope, given)
            case ast.Attribute():
                return self._attribute(node, scope)
            case ast.Subscript():
                return self._subscript(node, scope, given)
            case ast.Call():
                return self._call(node, scope, given)
            case _:
                return _unknown(node, scope)

    def _in_turn(self, nodes: Iterable[ast.expr], scope: Scope, given: Given) -> tuple[Template, ...]:
        """Return every way to put one alternative of each node after the other, up to the most."""
        whole: tuple[Template, ...] = (EMPTY,)
        for node in nodes:
            tails = self.templates(node, scope, given)
            whole = tuple(head + tail for head in whole for tail in tails)[:_MOST]
        return whole

    # --- names ------------------------------------------------------------------------------------------------------

    def _name(self, node: ast.Name, scope: Scope, given: Given) -> tuple[Template, ...]:
        owner = scope.owner_of(node.id)
        name = node.id
        if owner is None:
            found = self.project.definition(scope.module.imports.get(name, ""))
            if found is None:
                return _unknown(node, scope)
            owner, name = found
        if (owner, name) in given:
            return given[owner, name]
        bindings = _in_force(owner, name, node, scope)
        if not bindings:
            return _unknown(node, scope)
        return self._bound(bindings, owner, node, scope, given)

    def _bound(
        self, bindings: Sequence[Binding], owner: Scope, node: ast.expr, scope: Scope, given: Given
    ) -> tuple[Template, ...]:
        alternatives: tuple[Template, ...] = ()
        for binding in bindings:
            value = binding.value
            if binding.how == "=" and value is not None:
                alternatives += self.templates(value, owner, given)
            elif binding.how == "+=" and value is not None:
                tails = self.templates(value, owner, given)
                alternatives += tuple(head + tail for head in alternatives or _unknown(node, scope) for tail in tails)
            elif binding.how == "for" and value is not None:
                alternatives += self.elements(value, owner, given) or _unknown(node, scope)
            elif binding.how == "parameter" and value is not None:
                guesses = [one.constant for one in self.templates(value, owner, given)]
                alternatives += (Template((Hole(node, scope, guess=guesses[0]),)),)
            else:
                alternatives += _unknown(node, scope)
        return alternatives[:_MOST]

    def _attribute(self, node: ast.Attribute, scope: Scope) -> tuple[Template, ...]:
        found = self._attribute_bindings(node, scope)
        if found is not None:
            owner, bindings = found
            templates = self._bound(bindings, owner, node, scope, {})
            # Of `self.x = x` the parameter's own name means nothing to the reader of this place.
            return tuple(_unknown(node, scope, one.holes[0].guess)[0] if one.is_one_hole else one for one in templates)
        if node.attr in {"value", "name"} and isinstance(node.value, ast.Attribute):
            templates = self._attribute(node.value, scope)
            return _unknown(node, scope) if any(one.is_one_hole for one in templates) else templates
        return self._own(node, scope) or _unknown(node, scope)

    def _own(self, node: ast.Attribute, scope: Scope) -> tuple[Template, ...]:
        """Return what ``self.name`` is if it was assigned once, or is a property."""
        owner = scope.class_scope if _says(node.value, "self", "cls") else None
        for one in self.project.bases(owner) if owner else []:
            assigned = one.attributes.get(node.attr, [])
            if len(assigned) == 1:
                templates = self.templates(assigned[0][0], assigned[0][1])
                guess = templates[0].holes[0].guess if templates[0].is_one_hole else None
                is_open = any(part.is_one_hole for part in templates)
                return _unknown(node, scope, guess) if is_open else templates
            if assigned:
                return ()
        method = self.project.method(owner, node.attr) if owner else None
        if method is None or not _is_property(method):
            return ()
        found = tuple(t for one in _returns(method) if one.value for t in self.templates(one.value, method))
        return () if any(one.is_one_hole for one in found) else found

    def _attribute_bindings(self, node: ast.Attribute, scope: Scope) -> tuple[Scope, list[Binding]] | None:
        owner: Scope | None
        if isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}:
            owner = scope.class_scope
            holders = self.project.bases(owner) if owner else []
        else:
            found = self.project.defined(node, scope)
            if found is not None:
                return found[0], found[0].bindings[found[1]]
            owner = self.project.class_of(node.value, scope)
            holders = self.project.bases(owner) if owner else []
        for one in holders:
            bindings = one.bindings.get(node.attr)
            if bindings and all(binding.how == "=" for binding in bindings):
                return one, bindings
        return None

    def _subscript(self, node: ast.Subscript, scope: Scope, given: Given) -> tuple[Template, ...]:
        if isinstance(node.slice, ast.Slice):
            return tuple(_sliced(one, node.slice) for one in self.templates(node.value, scope, given))
        return self.elements(node.value, scope, given, constants_only=True) or _unknown(node, scope)

    # --- several texts ----------------------------------------------------------------------------------------------

    def elements(
        self, node: ast.expr, scope: Scope, given: Given | None = None, *, constants_only: bool = False
    ) -> tuple[Template, ...]:
        """Return the templates of what a list, tuple or dict (its values) holds; none if that is not known."""
        sequence = self._sequence(node, scope, given or {})
        if sequence is None:
            return ()
        found = tuple(one for element in sequence for one in element)
        if constants_only and any(one.holes for one in found):
            return ()
        return found[: 4 * _MOST]

    def _sequence(self, node: ast.expr, scope: Scope, given: Given) -> list[tuple[Template, ...]] | None:
        match node:
            case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
                if any(isinstance(one, ast.Starred) for one in items):
                    return None
                return [self.templates(one, scope, given) for one in items]
            case ast.Dict(values=values):
                return [self.templates(one, scope, given) for one in values]
            case ast.ListComp(elt=element) | ast.GeneratorExp(elt=element) | ast.SetComp(elt=element):
                return [self.templates(element, scope, given)]
            case ast.BinOp(op=ast.Mult(), left=left):
                return self._sequence(left, scope, given)
            case ast.Constant(value=str(text)):
                return [(Template((Text(character, node, scope),)),) for character in dict.fromkeys(text)]
            case ast.Call(func=ast.Name(id="sorted" | "list" | "tuple" | "set" | "frozenset"), args=[inner]):
                return self._sequence(inner, scope, given)
            case ast.Call(func=ast.Name(id="map"), args=[function, _]) if _says(function, "str", "repr"):
                return None
            case ast.Call(func=ast.Attribute(value=inner, attr="values")):
                return self._sequence(inner, scope, given)
            case ast.Name():
                return self._named_sequence(node, scope, given)
            case ast.Attribute():
                found = self._attribute_bindings(node, scope)
                if found is None or len(found[1]) != 1 or found[1][0].value is None:
                    return None
                return self._sequence(found[1][0].value, found[0], given)
            case _:
                return None

    def _named_sequence(self, node: ast.Name, scope: Scope, given: Given) -> list[tuple[Template, ...]] | None:
        found = self.project.defined(node, scope)
        if found is None or self._depth > _DEEPEST:
            return None
        owner, name = found
        bindings = owner.bindings[name]
        if any(one.how not in {"=", "+="} or one.value is None for one in bindings):
            return None
        self._depth += 1
        try:
            parts = [self._sequence(one.value, owner, given) for one in bindings if one.value is not None]
            parts += [[self.templates(one, where, given)] for one, where in _appended(owner, name)]
        finally:
            self._depth -= 1
        return None if None in parts else [one for part in parts for one in part or []]

    # --- calls ------------------------------------------------------------------------------------------------------

    def _call(self, node: ast.Call, scope: Scope, given: Given) -> tuple[Template, ...]:
        match node.func:
            case ast.Attribute(value=inner, attr="format"):
                return self._format(node, inner, scope, given)
            case ast.Attribute(value=between, attr="join") if len(node.args) == 1:
                return self._join(node, between, scope, given)
            case ast.Attribute(value=inner, attr="replace") if len(node.args) == 2:  # noqa: PLR2004 - old and new
                return self._replace(node, inner, scope, given)
            case ast.Attribute(value=inner, attr=attr) if attr in _UNTOUCHED and not _is_module(inner, scope):
                return tuple(one.mapped(_stripped(node, attr)) for one in self.templates(inner, scope, given))
            case ast.Attribute(value=inner, attr="get") if node.args:
                found = self.elements(inner, scope, given, constants_only=True)
                return found or _unknown(node, scope)
            case _:
                pass
        name = self.project.dotted(node.func, scope).rpartition(".")[2]
        if name in _WRAPPERS and node.args:
            inner = node.args[1] if name == "cast" and len(node.args) > 1 else node.args[0]
            templates = self.templates(inner, scope, given)
            return tuple(one.mapped(textwrap.dedent) for one in templates) if name == "dedent" else templates
        if name in _NUMBERS:
            return (Template((Hole(node, scope, Kind.NUMBER),)),)
        if name in _QUOTED:
            return (Template((Hole(node, scope, Kind.COMPOSED),)),)
        if name == "Placeholder":
            return (Template((Text("?", node, scope),)),)
        return self._returned(node, scope, given)

    def _returned(self, node: ast.Call, scope: Scope, given: Given) -> tuple[Template, ...]:
        """Return what a function of the project returns, with the arguments of this call in the place of its parameters."""
        function = self.project.function_of(node.func, scope)
        if function is None or not isinstance(function.node, ast.FunctionDef | ast.AsyncFunctionDef):
            return _unknown(node, scope)
        returns = [one.value for one in _returns(function)]
        if not returns or len(returns) > _MOST or None in returns:
            return _unknown(node, scope)
        inside: dict[tuple[Scope, str], tuple[Template, ...]] = {}
        for name, bindings in function.bindings.items():
            if bindings[0].how == "parameter" and len(bindings) == 1:
                argument = self.project.argument(node, function, name)
                if argument is not None:
                    inside[function, name] = self.templates(argument, scope, given)
                elif bindings[0].value is not None and not any(one.arg is None for one in node.keywords):
                    inside[function, name] = self.templates(bindings[0].value, function)
        found = tuple(t for one in returns if one is not None for t in self.templates(one, function, inside or None))
        # A helper that says nothing of the text is one hole, here, not whatever stands in its return.
        return _unknown(node, scope) if any(one.is_one_hole for one in found) else found

    def _percent(self, node: ast.BinOp, scope: Scope, given: Given) -> tuple[Template, ...]:
        found: list[Template] = []
        for left in self.templates(node.left, scope, given):
            if left.is_one_hole:
                return _unknown(node, scope)
            found += self._filled(left, node.right, scope, given)
        return tuple(found)

    def _filled(self, left: Template, right: ast.expr, scope: Scope, given: Given) -> list[Template]:
        positional = list(right.elts) if isinstance(right, ast.Tuple) else [right]
        named: dict[str, ast.expr] = {}
        if isinstance(right, ast.Dict):
            keys = (
                (key.value if isinstance(key, ast.Constant) else None, v)
                for key, v in zip(right.keys, right.values, strict=True)
            )
            named = {str(key): value for key, value in keys if key is not None}

        def spliced(match: re.Match[str]) -> ast.expr | str:
            if match["kind"] == "%":
                return "%"
            if match["name"] is not None:
                return named.get(match["name"], right)
            return positional.pop(0) if positional else right

        return self._substituted(left, _PERCENT, spliced, scope, given)

    def _format(self, node: ast.Call, inner: ast.expr, scope: Scope, given: Given) -> tuple[Template, ...]:
        positional = list(node.args)
        named = {one.arg: one.value for one in node.keywords if one.arg}
        counter = iter(range(100))

        def spliced(match: re.Match[str]) -> ast.expr | str:
            if match[0] in {"{{", "}}"}:
                return match[0][0]
            key = re.split(r"[.\[!:]", match[1], maxsplit=1)[0]
            index = next(counter) if not key else int(key) if key.isdigit() else -1
            if 0 <= index < len(positional) and not isinstance(positional[index], ast.Starred):
                return positional[index]
            return named.get(key, node)

        field = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
        found: list[Template] = []
        for template in self.templates(inner, scope, given):
            if template.is_one_hole:
                return _unknown(node, scope)
            if template.constant is not None and not _is_format(template.constant):
                return _unknown(node, scope)
            found += self._substituted(template, field, spliced, scope, given)
        return tuple(found)

    def _substituted(
        self,
        template: Template,
        pattern: re.Pattern[str],
        spliced: object,
        scope: Scope,
        given: Given,
    ) -> list[Template]:
        whole = [EMPTY]
        for part in template.parts:
            if isinstance(part, Hole):
                whole = [one + Template((part,)) for one in whole]
                continue
            end = 0
            for match in pattern.finditer(part.text):
                before = Template((Text(part.text[end : match.start()], part.node, part.scope),))
                what = spliced(match)  # type: ignore[operator]
                tails = (
                    (Template((Text(what, part.node, part.scope),)),)
                    if isinstance(what, str)
                    else self._not_itself(what, scope, given)
                )
                whole = [one + before + tail for one in whole for tail in tails][:_MOST]
                end = match.end()
            whole = [one + Template((Text(part.text[end:], part.node, part.scope),)) for one in whole]
        return whole

    def _not_itself(self, node: ast.expr, scope: Scope, given: Given) -> tuple[Template, ...]:
        is_formatting = (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format"
        )
        return _unknown(node, scope) if is_formatting else self.templates(node, scope, given)

    def _join(self, node: ast.Call, between: ast.expr, scope: Scope, given: Given) -> tuple[Template, ...]:
        separators = self.templates(between, scope, given)
        sequence = self._sequence(node.args[0], scope, given)
        if sequence is None or any(not one for one in sequence):
            return _unknown(node, scope)
        return (joined((one[0] for one in sequence), separators[0]),)

    def _replace(self, node: ast.Call, inner: ast.expr, scope: Scope, given: Given) -> tuple[Template, ...]:
        old = self.templates(node.args[0], scope, given)[0].constant
        if not old:
            return _unknown(node, scope)
        new = self.templates(node.args[1], scope, given)[0]
        return tuple(one.replaced(old, new) for one in self.templates(inner, scope, given))


def _unknown(node: ast.expr, scope: Scope, guess: str | None = None) -> tuple[Template, ...]:
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    if name in {"value", "name"} and isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
        name = node.value.attr  # Status.QUEUED.value
    kind = Kind.CONSTANT if _CONSTANT_NAME.fullmatch(name) and len(name) > 1 else Kind.VALUE
    called = node.func if isinstance(node, ast.Call) else None
    if isinstance(called, ast.Attribute | ast.Name) and _QUOTING.search(ast.unparse(called).rpartition(".")[2]):
        kind = Kind.COMPOSED
    elif _IDENTIFIER_NAME.search(name):
        kind = Kind.IDENTIFIER
    return (Template((Hole(node, scope, kind, guess),)),)


def _in_force(owner: Scope, name: str, node: ast.Name, scope: Scope) -> list[Binding]:
    """Return the bindings that may hold where the name is used: none from behind it, none that was surely replaced."""
    bindings = owner.bindings[name]
    if owner is not scope or not owner.is_function:
        return bindings
    line = node.lineno
    before = [
        one for one in bindings if getattr(one.node, "lineno", 0) < line or one.how in {"for", "with", "parameter"}
    ]
    around = {*owner.module.ancestors(node)}
    for number in range(len(before) - 1, 0, -1):
        holder = owner.module.parents.get(before[number].node)
        if (
            before[number].how == "="
            and holder in around
            and not isinstance(holder, ast.If | ast.Try | ast.For | ast.While)
        ):
            return before[number:]
    return before or bindings


def _appended(owner: Scope, name: str) -> list[tuple[ast.expr, Scope]]:
    """Return what ``name.append(...)`` and ``.insert(...)`` put into a list."""
    found: list[tuple[ast.expr, Scope]] = []
    for call, scope in owner.module.calls:
        match call.func:
            case ast.Attribute(value=ast.Name(id=list_name), attr="append") if list_name == name and call.args:
                if scope.owner_of(name) is owner:
                    found.append((call.args[0], scope))
            case _:
                pass
    return found


def _returns(function: Scope) -> list[ast.Return]:
    module = function.module
    return [
        node for node in ast.walk(function.node) if isinstance(node, ast.Return) and module.scope_of(node) is function
    ]


def _is_property(method: Scope) -> bool:
    decorators = getattr(method.node, "decorator_list", [])
    names = (one.attr if isinstance(one, ast.Attribute) else getattr(one, "id", "") for one in decorators)
    return not {"property", "cached_property"}.isdisjoint(names)


def _is_module(node: ast.expr, scope: Scope) -> bool:
    return (
        isinstance(node, ast.Name)
        and node.id in scope.module.imports
        and scope.owner_of(node.id) is None
        and (node.id == node.id.lower() and "." not in scope.module.imports[node.id])
    )


def _is_format(text: str) -> bool:
    try:
        list(string.Formatter().parse(text))
    except ValueError:
        return False
    return True


def _stripped(node: ast.Call, attr: str):  # type: ignore[no-untyped-def]
    characters = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
    if attr in {"rstrip", "strip"} and isinstance(characters, str):
        return lambda text: text.rstrip(characters)
    return lambda text: text


def _sliced(template: Template, part: ast.Slice) -> Template:
    """Return the template without its end, as in ``text[:-1]``; other slices are left whole."""
    match part:
        case ast.Slice(lower=None, upper=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(count)))):
            last = template.parts[-1] if template.parts else None
            if isinstance(last, Text):
                return Template((*template.parts[:-1], Text(last.text[:-count], last.node, last.scope)))
        case _:
            pass
    return template


def _says(node: ast.expr, *names: str) -> bool:
    return isinstance(node, ast.Name) and node.id in names
