"""A review from its paths to its findings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_taskq.review import sql
from pytest_taskq.review.catalogue import RULES
from pytest_taskq.review.evaluation.evaluator import Evaluator
from pytest_taskq.review.finding import Finding, NotChecked, Place, Review
from pytest_taskq.review.ignores import silenced
from pytest_taskq.review.origins import Tracer
from pytest_taskq.review.project import Project
from pytest_taskq.review.reading import Reading
from pytest_taskq.review.rules import CHECKS
from pytest_taskq.review.sources import Source, UnreadableError, files_below, read
from pytest_taskq.review.statements import Statement, statements_of

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_taskq.review.reading import Seen
    from pytest_taskq.review.scopes import Module


def review_paths(paths: Iterable[str | Path], folder: Path | None = None) -> Review:
    """Review files and folders; paths are shown as seen from ``folder`` (the current one).

    Raises FileNotFoundError for a path that is not there, MissingParserError without sqlglot.
    """
    sources: list[Source] = []
    unread: list[NotChecked] = []
    for path in files_below(map(Path, paths)):
        shown = shown_path(path, folder or Path.cwd())
        try:
            sources.append(read(path, shown))
        except UnreadableError as error:
            unread.append(NotChecked(Place(shown, 1), f"the file {error}"))
    return review_sources(sources, unread)


def review_text(text: str, name: str = "code.py") -> Review:
    """Review one piece of code."""
    return review_sources([Source(Path(name), name, text)])


def review_sources(sources: Sequence[Source], unread: Sequence[NotChecked] = ()) -> Review:
    """Review what was read; ``unread`` are the files that could not be. Raises MissingParserError without sqlglot."""
    sql.require_parser()
    project = Project(sources)
    not_checked = [*unread, *(NotChecked(Place(one.shown, 1), f"the file {why}") for one, why in project.unreadable)]
    reviewer = _Reviewer(project)
    for module in project.modules:
        reviewer.look_at(module)
    return Review(
        files=len(sources) - len(project.unreadable),
        statements=reviewer.statements,
        findings=tuple(sorted(reviewer.findings(), key=lambda one: (one.place, one.rule.id))),
        not_checked=tuple(sorted({*not_checked, *reviewer.not_checked})),
    )


class _Reviewer:
    """Looks at one module after the other. A rule may see something in another module than it looks at."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.evaluator = Evaluator(project)
        self.tracer = Tracer(project)
        self.statements = 0
        self.not_checked: list[NotChecked] = []
        self._seen: dict[Module, dict[tuple[Place, str], tuple[Finding, ast.AST]]] = {}

    def look_at(self, module: Module) -> None:
        """Ask every rule about one module, if it is one to ask about."""
        why = _left_out(module)
        if why:
            if any(isinstance(one, Statement) for one in statements_of(module, self.evaluator)):
                self.not_checked.append(NotChecked(Place(module.source.shown, 1), why))
            return
        found: list[Statement] = []
        for one in statements_of(module, self.evaluator):
            if isinstance(one, Statement):
                found.append(one)
                if one.is_read_by_nobody:
                    self._leave(module, one.node, "sqlglot cannot read this SQL")
            else:
                self._leave(module, one.node, one.reason)
        self.statements += len({(one.node, one.text) for one in found if not one.is_read_by_nobody})
        reading = Reading(module, tuple(found), self.project, self.evaluator, self.tracer)
        self._seen.setdefault(module, {})
        for check in CHECKS:
            for seen in check(reading):
                self._keep(seen)

    def findings(self) -> Iterator[Finding]:
        """Yield what no comment silences, and what is wrong with the comments."""
        for module, seen in self._seen.items():
            left, wrong = silenced(module, seen.values(), module.source.shown)
            yield from left
            yield from wrong

    def _keep(self, seen: Seen) -> None:
        source = seen.module.source
        line = min(getattr(seen.node, "lineno", 1) + seen.below, getattr(seen.node, "end_lineno", None) or 1)
        column = 1 if seen.below else source.column(line, getattr(seen.node, "col_offset", 0))
        place = Place(source.shown, line, column)
        finding = Finding(RULES[seen.rule], place, seen.text, source.line(line))
        self._seen.setdefault(seen.module, {}).setdefault((place, seen.rule), (finding, seen.node))

    def _leave(self, module: Module, node: ast.expr, reason: str) -> None:
        place = Place(module.source.shown, node.lineno, module.source.column(node.lineno, node.col_offset))
        self.not_checked.append(NotChecked(place, reason))


def _left_out(module: Module) -> str:
    """Return why a module's queries are none to speak of, empty if they are."""
    if module.source.is_migration:
        return "a migration, which runs once"
    return "its queries are of another language than SQL" if module.is_of_other_language else ""


def shown_path(path: Path, folder: Path) -> str:
    """Return the path as findings give it: from the folder if it lies there."""
    absolute = path.absolute()
    return (absolute.relative_to(folder) if absolute.is_relative_to(folder) else path).as_posix()
