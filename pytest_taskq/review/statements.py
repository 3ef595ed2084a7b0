"""The SQL of a module: where it is written, and where it is run."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_taskq.review import sql
from pytest_taskq.review.spelled import WRAPPERS, is_gathered, is_said, says, texts
from pytest_taskq.review.templates import HOLE, Hole, Kind, Template, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlglot import exp

    from pytest_taskq.review.evaluation.evaluator import Evaluator
    from pytest_taskq.review.scopes import Module, Scope

EXECUTORS = frozenset({"execute", "executemany", "executescript"})
FETCHERS = frozenset({"fetch", "fetchrow", "fetchval", "fetch_all", "fetch_one", "fetch_val"})
_FIELD = re.compile(r"\{\w*\}")
# Others have an execute(), too: of tasks, of commands.
_CONNECTION = re.compile(r"conn|cur|db|tx|trans|session|engine|pool|sql|driver", re.IGNORECASE)
_NAMED_SQL = re.compile(r"sql|query|statement|stmt", re.IGNORECASE)
_KEYWORDS = ("sql", "query", "operation", "statement")


@dataclass(frozen=True)
class Run:
    """A call that runs SQL; ``receiver`` is what its method is called on."""

    call: ast.Call
    scope: Scope
    receiver: ast.expr | None
    method: str

    @property
    def parameters(self) -> tuple[ast.expr, ...]:
        """What is bound to the SQL."""
        return (*self.call.args[1:], *(one.value for one in self.call.keywords if one.arg not in _KEYWORDS))


@dataclass(frozen=True)
class Statement:
    """SQL as one alternative of an expression; ``run`` is None where nobody is seen to run it."""

    template: Template
    node: ast.expr
    module: Module
    run: Run | None = None

    @cached_property
    def text(self) -> str:
        """The SQL with a name in the place of each hole."""
        return self.template.rendered(lambda number, _: f"{HOLE}{number}")

    @cached_property
    def verb(self) -> str:
        """The first word, in lower case."""
        return sql.verb(self.text)

    @cached_property
    def parsed(self) -> tuple[exp.Expr, ...]:
        """What sqlglot made of a query or change; empty for anything else, and if it cannot be read."""
        is_asked = self.verb in sql.READS or self.verb in sql.WRITES or self.verb == "with"
        return sql.parsed(self.text) if is_asked else ()

    @property
    def is_read_by_nobody(self) -> bool:
        """Whether it is a query or change that sqlglot cannot read."""
        is_plain = self.verb in sql.DEFINITIONS or self.verb in sql.UTILITIES
        return not is_plain and not self.parsed

    @cached_property
    def writes(self) -> bool:
        """Whether it changes tables."""
        if self.verb in sql.DEFINITIONS or self.verb in sql.WRITES:
            return True
        from sqlglot import exp

        return any(one.find(exp.Insert, exp.Update, exp.Delete, exp.Merge) for one in self.parsed)

    @property
    def reads(self) -> bool:
        """Whether it is a query that changes nothing."""
        return bool(self.parsed) and not self.writes

    @cached_property
    def table_names(self) -> frozenset[str]:
        """The names of its tables as they stand in the text."""
        from sqlglot import exp

        own = {cte.alias_or_name.lower() for one in self.parsed for cte in one.find_all(exp.CTE)}
        found = {table.name for one in self.parsed for table in one.find_all(exp.Table)}
        return frozenset(one for one in found if one.lower() not in own)

    @property
    def tables(self) -> frozenset[str]:
        """The names of its tables in lower case; a hole's is the expression that fills it."""
        return frozenset(map(self.unholed, self.table_names))

    def unholed(self, name: str) -> str:
        """Return a name of the SQL in lower case, a hole as the expression that fills it."""
        hole = self.hole(name)
        return ast.unparse(hole.node) if hole else name.lower()

    def hole(self, name: str) -> Hole | None:
        """Return the hole that is called so in the text."""
        if not name.startswith(HOLE):
            return None
        number = name.removeprefix(HOLE)
        holes = self.template.holes
        return holes[int(number)] if number.isdigit() and int(number) < len(holes) else None

    def holes_in(self, text: str) -> list[Hole]:
        """Return the holes whose names stand in a text of the SQL."""
        return [hole for number, hole in enumerate(self.template.holes) if _contains(text, f"{HOLE}{number}")]

    def place_of(self, word: str) -> tuple[ast.expr, Scope, int]:
        """Return the piece in which a word first stands, and how many lines below the piece's beginning."""
        texts = [part for part in self.template.parts if isinstance(part, Text)]
        for part in texts:
            position = part.text.lower().find(word)
            if position >= 0:
                return part.node, part.scope, part.text[:position].count("\n")
        return self.node, texts[0].scope if texts else self.module.scope_of(self.node), 0


@dataclass(frozen=True)
class Unread:
    """SQL, or what may be SQL, that was not read."""

    node: ast.expr
    module: Module
    reason: str


def _contains(text: str, name: str) -> bool:
    start = text.find(name)
    while start >= 0:
        if not text[start + len(name) : start + len(name) + 1].isdigit():
            return True
        start = text.find(name, start + 1)
    return False


def statements_of(module: Module, evaluator: Evaluator) -> Iterator[Statement | Unread]:
    """Yield the SQL that the module runs, and what looks like SQL without being seen to run."""
    seen: set[ast.expr] = set()
    for call, scope in module.calls:
        run = _run(call, scope)
        if run is None:
            continue
        node = _sql_argument(call)
        if node is None:
            continue
        found = list(_of_run(run, node, evaluator))
        if any(isinstance(one, Statement) for one in found):
            seen.add(node)
        yield from found
    for node in texts(module):
        if node not in seen and not is_said(node, module):
            for template in evaluator.templates(node, module.scope_of(node)):
                statement = Statement(_with_fields(template, node), node, module)
                if not sql.looks_like_sql(statement.text):
                    continue
                if any(one.kind is Kind.VALUE for one in template.holes) and is_gathered(node, module):
                    yield Unread(node, module, "it is put into a list, and nobody is seen to run it")
                else:
                    yield statement


def _run(call: ast.Call, scope: Scope) -> Run | None:
    match call.func:
        case ast.Attribute(value=receiver, attr=method) if not says(method) and method not in WRAPPERS:
            return Run(call, scope, receiver, method)
        case ast.Name(id=method) if not says(method) and method not in WRAPPERS:
            return Run(call, scope, None, method)
        case _:
            return None


def _sql_argument(call: ast.Call) -> ast.expr | None:
    if call.args and not isinstance(call.args[0], ast.Starred):
        return call.args[0]
    return next((one.value for one in call.keywords if one.arg in _KEYWORDS), None)


def _of_run(run: Run, node: ast.expr, evaluator: Evaluator) -> Iterator[Statement | Unread]:
    is_executor = run.method in EXECUTORS
    if (
        not is_executor
        and run.method not in FETCHERS
        and not isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp)
    ):
        return
    module = run.scope.module
    for template in _followed(node, run.scope, evaluator):
        if template.is_one_hole:
            if is_executor and _is_of_connection(run, node):
                yield Unread(node, module, _why(template.holes[0]))
            continue
        statement = Statement(template, node, module, run)
        if sql.looks_like_sql(statement.text) or (is_executor and sql.is_known_verb(statement.verb)):
            yield statement
        elif is_executor and not isinstance(node, ast.Constant) and _is_of_connection(run, node):
            yield Unread(node, module, "what it runs begins with a part that is known at run time only")


def _is_of_connection(run: Run, node: ast.expr) -> bool:
    """Whether it runs SQL, as far as names tell."""
    receiver = ast.unparse(run.receiver) if run.receiver else ""
    is_named = isinstance(node, ast.Name | ast.Attribute) and _NAMED_SQL.search(ast.unparse(node)) is not None
    return is_named or _CONNECTION.search(receiver) is not None


def _with_fields(template: Template, node: ast.expr) -> Template:
    """Return the text of a constant with holes for its ``{fields}``: somebody formats it elsewhere."""
    if template.holes or not _is_wrapped_constant(node):
        return template
    parts: list[Text | Hole] = []
    for part in template.parts:
        if isinstance(part, Text):
            pieces = _FIELD.split(part.text)
            parts += [Text(pieces[0], part.node, part.scope)]
            for piece in pieces[1:]:
                parts += [Hole(node, part.scope, Kind.COMPOSED), Text(piece, part.node, part.scope)]
    return Template(tuple(parts))


def _is_wrapped_constant(node: ast.expr) -> bool:
    match node:
        case ast.Constant():
            return True
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=[first]) if name in WRAPPERS:
            return _is_wrapped_constant(first)
        case _:
            return False


def _followed(node: ast.expr, scope: Scope, evaluator: Evaluator) -> Iterator[Template]:
    """Yield the templates of an expression; where it is a parameter, those of the callers' arguments too."""
    for template in evaluator.templates(node, scope):
        hole = template.holes[0] if template.is_one_hole else None
        found = list(_given(hole, scope, evaluator)) if hole is not None and hole.node is node else []
        yield from found or [template]


def _given(hole: Hole, scope: Scope, evaluator: Evaluator) -> Iterator[Template]:
    if not isinstance(hole.node, ast.Name):
        return
    owner = scope.owner_of(hole.node.id)
    if owner is None or not owner.is_function or owner.bindings[hole.node.id][0].how != "parameter":
        return
    for call, where in evaluator.project.callers(owner):
        if where.module.source.is_test and not scope.module.source.is_test:
            continue  # what only a test asks is no production code
        argument = evaluator.project.argument(call, owner, hole.node.id)
        if argument is not None:
            yield from (one for one in evaluator.templates(argument, where) if not one.is_one_hole)


def _why(hole: Hole) -> str:
    name = ast.unparse(hole.node)
    if hole.kind is Kind.CONSTANT:
        return f"the SQL is {name}, which is not defined in the files given"
    return f"the SQL is `{name if len(name) < 60 else name[:57] + '...'}`, known at run time only"  # noqa: PLR2004
