"""How a requirement is broken and kept: a file for each, read as text when somebody asks.

The files are modules, so that they are linted, typed and graded by the tests. Nothing here
imports them: they are adapters, and the contract knows none.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ast


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """An adapter as it breaks a requirement, and as it keeps it, in source text.

    ``says`` is what makes the difference; ``shared`` is what both use, "" if that is nothing.
    """

    says: str
    shared: str
    broken: str
    corrected: str


def illustrated() -> frozenset[str]:
    """Return the ids of the requirements that have a snippet; no file is read."""
    from importlib.resources import files

    names = (file.name for file in files(__name__).iterdir())
    modules = (name.removesuffix(".py") for name in names if name.endswith(".py"))
    return frozenset(_id_of(name) for name in modules if not name.startswith("_"))


@cache
def snippet_of(requirement_id: str) -> Snippet | None:
    """Return what the file of a requirement shows; None if it has none."""
    from importlib.resources import files

    if requirement_id not in illustrated():
        return None
    file = files(__name__) / f"{module_of(requirement_id)}.py"
    return parsed(file.read_text(encoding="utf-8"))


def module_of(requirement_id: str) -> str:
    """Return the name of the module in this package that shows a requirement."""
    return requirement_id.lower().replace("-", "_")


def _id_of(module: str) -> str:
    return module.upper().replace("_", "-")


def parsed(source: str) -> Snippet:
    """Return the parts of a file: docstring, imports, what both use, ``Broken``, ``Corrected``.

    Raises ValueError if these are not its parts, or come in another order: something would be
    left out, or shown under a wrong title.
    """
    import ast

    tree = ast.parse(source)
    says, body = ast.get_docstring(tree), tree.body[1:]
    names = [getattr(node, "name", "") for node in body]
    if not says or names[-2:] != ["Broken", "Corrected"]:
        raise ValueError(
            f"a snippet has a docstring and ends in Broken and Corrected, not {names}"
        )
    rest = [node for node in body if not _imports(node)]
    if rest != body[-len(rest) :]:
        raise ValueError(
            "the imports of a snippet stand before all else, since they are not shown"
        )
    shared, broken, corrected = _texts(source, rest)
    return Snippet(says=says, shared=shared, broken=broken, corrected=corrected)


def _texts(source: str, rest: list[ast.stmt]) -> tuple[str, str, str]:
    """Return three texts: the statements before the last two, and each of these."""
    lines = source.splitlines()
    first, broken, corrected = (_line(node) for node in (rest[0], *rest[-2:]))
    parts = (lines[first:broken], lines[broken:corrected], lines[corrected:])
    shared, *both = ("\n".join(part).strip() for part in parts)
    return shared, both[0], both[1]


def _line(node: ast.stmt) -> int:
    """Return the index of the line that a statement begins on, its decorators counted."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(one.lineno for one in decorators)]) - 1


def _imports(node: ast.stmt) -> bool:
    import ast

    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    return isinstance(node, ast.Import | ast.ImportFrom)
