"""REV-08: reads that take more than they need."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from pytest_taskq.review.reading import Seen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlglot import exp

    from pytest_taskq.review.reading import Reading
    from pytest_taskq.review.scopes import Scope
    from pytest_taskq.review.statements import Run, Statement

# Tables to which each day adds rows, by what they are called; one of queues, settings or workers stays short.
_GROWS = re.compile(
    r"(?:.*[_.])?(?:task|job|message|msg|event|log|history|queue|item|order|result|outbox|inbox|schedule|dead_letter|mail)s?"
    r"(?:_(?:queue|log|logs|history|events|archive|table))?",
    re.IGNORECASE,
)
_COMPOSES = re.compile(r"(?:^|_)cte", re.IGNORECASE)
_ALL_AT_ONCE = frozenset({"fetchall"})


def careless_reads(reading: Reading) -> Iterator[Seen]:
    """REV-08: every column by ``*``, and all rows at once of a table that grows. Tests may."""
    if reading.is_test:
        return
    for statement in filter(reading.is_of_queue, reading.statements):
        if statement.reads or statement.writes:
            yield from _stars(reading, statement)
        if _is_unlimited(reading, statement):
            node, scope, below = statement.place_of("select")
            seen = "all rows are fetched at once, and nothing limits how many there are"
            yield Seen("REV-08", scope.module, node, seen, below)


def _is_unlimited(reading: Reading, statement: Statement) -> bool:
    if statement.run is None or not statement.reads:
        return False
    if not _takes_all(reading, statement.run) or not _can_grow(statement):
        return False
    return not any(_first(one) is _first(statement) and _is_limited(one) for one in reading.statements)


def _first(statement: Statement) -> ast.expr:
    """Return the piece that it begins with: alternatives of one text share it."""
    return statement.template.parts[0].node


def _is_limited(statement: Statement) -> bool:
    return any(one.args.get("limit") for one in statement.parsed)


def _stars(reading: Reading, statement: Statement) -> Iterator[Seen]:
    from sqlglot import exp

    for whole in statement.parsed:
        made = {cte.alias_or_name for cte in whole.find_all(exp.CTE)} | _given_ctes(reading, statement)
        if any(_takes_every_column(select, made) for select in whole.find_all(exp.Select)):
            node, scope, below = _place(statement)
            yield Seen("REV-08", scope.module, node, "SELECT * reads whatever columns there will be", below)


def _takes_every_column(select: exp.Select, made: set[str]) -> bool:
    """Whether a star stands for the columns of a table; of a query ``made`` here, or a function, it is as written."""
    from sqlglot import exp

    stars = [one for one in select.expressions if _is_star(one)]
    if not stars or isinstance(select.parent, exp.Exists) or not _is_given_on(select):
        return False
    of = {one.table for one in stars if isinstance(one, exp.Column)}  # t.* is of t alone
    source = select.args.get("from_") or select.args.get("from")
    tables = [source.this] if source is not None else []
    tables += [join.this for join in select.args.get("joins") or []]
    asked = tables if len(of) < len(stars) else [one for one in tables if one.alias_or_name in of]
    return any(_is_stored(one) and one.name not in made for one in asked)


def _is_given_on(select: exp.Select) -> bool:
    """Whether all that it reads leaves the statement: no query around it chooses columns, and no change uses some."""
    from sqlglot import exp

    above = select.find_ancestor(exp.Select, exp.CTE, exp.Update, exp.Delete)
    if isinstance(above, exp.CTE):
        above = above.find_ancestor(exp.Select, exp.Insert, exp.Update, exp.Delete)
        if isinstance(above, exp.Insert):
            above = above.find(exp.Select)
    if above is None or above is select:
        return True
    is_starred = isinstance(above, exp.Select) and any(map(_is_star, above.expressions))
    return isinstance(above, exp.Select) and is_starred and _is_given_on(above)


def _is_star(node: exp.Expr) -> bool:
    from sqlglot import exp

    return isinstance(node, exp.Star) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star))


def _is_stored(node: exp.Expr) -> bool:
    """Whether it is a table; a function whose name is a keyword looks like one whose columns are placeholders."""
    from sqlglot import exp

    if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier):
        return False
    alias = node.args.get("alias")
    return alias is None or all(isinstance(one, exp.Identifier) for one in alias.args.get("columns") or ())


def _given_ctes(reading: Reading, statement: Statement) -> set[str]:
    """Return the names of the queries that the same function hands to a composer, as ``composer.cte("name", ...)``."""
    here = reading.scope(statement.node)
    found: set[str] = set()
    for call, scope in reading.module.calls:
        match call:
            case ast.Call(func=ast.Attribute(attr=method), args=[ast.Constant(value=str(name)), *_]):
                if scope is here and _COMPOSES.search(method):
                    found.add(name)
            case _:
                pass
    return found


def _place(statement: Statement) -> tuple[ast.expr, Scope, int]:
    for word in ("select *", "*"):
        node, scope, below = statement.place_of(word)
        if node is not statement.node or word == "*":
            return node, scope, below
    return statement.place_of("select")


def _takes_all(reading: Reading, run: Run) -> bool:
    """Whether all rows are in memory at once: ``fetchall()``, ``list(...)``, asyncpg's ``fetch``."""
    parents = reading.module.parents
    if run.method == "fetch":
        return len(run.call.args) > 0
    above = parents.get(run.call)
    while isinstance(above, ast.Await):
        above = parents.get(above)
    match above:
        case ast.Attribute(attr=name):
            return name in _ALL_AT_ONCE
        case ast.Call(func=ast.Name(id="list" | "sorted" | "tuple")):
            return True
        case ast.Expr():
            return _fetched_after(reading, run)
        case _:
            return False


def _fetched_after(reading: Reading, run: Run) -> bool:
    """Whether the next fetch from the same cursor takes all."""
    if run.receiver is None:
        return False
    receiver = ast.unparse(run.receiver)
    later = [
        (call.lineno, call.func.attr)
        for call, scope in reading.module.calls
        if scope is run.scope and isinstance(call.func, ast.Attribute) and call.lineno >= run.call.lineno
        and call is not run.call and ast.unparse(call.func.value) == receiver
        and (call.func.attr.startswith("fetch") or call.func.attr.startswith("execute"))
    ]  # fmt: skip
    return bool(later) and min(later)[1] in _ALL_AT_ONCE


def _can_grow(statement: Statement) -> bool:
    from sqlglot import exp

    if len(statement.parsed) != 1 or not isinstance(statement.parsed[0], exp.Select):
        return False
    select = statement.parsed[0]
    if select.args.get("limit") or select.args.get("fetch") or select.args.get("group") or select.args.get("distinct"):
        return False
    if _is_aggregate(select) or any(statement.hole(one.name) for one in select.find_all(exp.TableAlias)):
        return False  # `FROM tasks {conditions}` is read as an alias
    source = select.args.get("from_") or select.args.get("from")
    read = [one.this for one in (source, *(select.args.get("joins") or ())) if one is not None]
    if not any(isinstance(one, exp.Table) and _GROWS.fullmatch(statement.unholed(one.name)) for one in read):
        return False
    where = select.args.get("where")
    return where is None or not any(_bounds(one, statement) for one in where.walk())


def _is_aggregate(select: exp.Select) -> bool:
    from sqlglot import exp

    return all(one.find(exp.AggFunc) and not one.find(exp.Window) for one in select.expressions)


def _bounds(node: exp.Expr, statement: Statement) -> bool:
    """Whether a condition may leave only a few rows: one on a key, a list of them, or one that is not known."""
    from sqlglot import exp

    if isinstance(node, exp.In | exp.EQ | exp.Any | exp.Exists):
        columns = [one.name for one in node.find_all(exp.Column)]
        return isinstance(node, exp.In) or any(
            re.fullmatch(r"(?:.*_)?(?:id|key|uuid|name)|rowid", one, re.IGNORECASE) for one in columns
        )
    return isinstance(node, exp.Column) and statement.hole(node.name) is not None
