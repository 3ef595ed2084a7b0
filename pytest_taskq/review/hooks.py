"""``pytest --taskq-review``: one item for each source file below the paths of the run, failed by its findings."""

from __future__ import annotations

import os
import warnings
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from pytest_taskq.contract import Level
from pytest_taskq.grading.longrepr import Location, as_longrepr
from pytest_taskq.review.formats.plain import as_plain, from_plain
from pytest_taskq.review.formats.text import finding_lines
from pytest_taskq.review.reviewing import review_paths, shown_path
from pytest_taskq.review.sql import MissingParserError, require_parser

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from _pytest._code.code import TerminalRepr, TracebackStyle

    from pytest_taskq.review.finding import Finding, NotChecked, Review

_ITEM = "review"
_HANDED_ON = "taskq_review"
_SUFFIXES = frozenset({".py", ".ipynb"})


class _Node(Protocol):
    """A worker of pytest-xdist, as its controller sees it."""

    workerinput: dict[str, object]


class ReviewWarning(pytest.PytestWarning):
    """A finding on a SHOULD, which fails nothing unless ``--taskq-strict`` is given."""


class _BreachError(Exception):
    """What fails the item of a file."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__(f"{len(findings)} findings")
        self.findings = findings


class ReviewHooks:
    """Adds the items, and reviews all sources together when the first of them runs."""

    def __init__(self, config: pytest.Config, *, strict: bool) -> None:
        self.strict = strict
        self._config = config
        self._collected: dict[Path, SourceFile] = {}
        try:
            require_parser()
        except MissingParserError as error:
            raise pytest.UsageError(f"--taskq-review: {error}") from None

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """Collect a source. It belongs to the session, since to set up a package is to import it."""
        if file_path.suffix not in _SUFFIXES:
            return None
        if file_path not in self._collected:
            self._collected[file_path] = SourceFile.reviewed_by(self, parent.session, file_path)
        return self._collected[file_path]

    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makemodule(self, module_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """Keep pytest from importing a source that is named on the command line and is no test file."""
        patterns = [*self._config.getini("python_files"), "__init__.py"]
        is_test = any(module_path.match(one) for one in patterns)
        return None if is_test else _NotImported.from_parent(parent, path=module_path)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: _Node) -> None:
        """Give the review to each worker of pytest-xdist, so that no other process than this one reviews."""
        node.workerinput[_HANDED_ON] = as_plain(self._review)

    @cached_property
    def _review(self) -> Review:
        """The review of every source below the paths of the run, so that a part of the items says what all would."""
        handed_on = getattr(self._config, "workerinput", {}).get(_HANDED_ON)
        given = self._given()
        if handed_on and all(any(one.is_relative_to(path) for path in given) for one in self._collected):
            return from_plain(handed_on)
        return review_paths(dict.fromkeys([*given, *self._collected]), self._config.rootpath)

    def _given(self) -> list[Path]:
        """Return the paths of the run."""
        here = self._config.invocation_params.dir
        paths = (Path(os.path.abspath(here / one.partition("::")[0])) for one in self._config.args)  # noqa: PTH100 - ..
        return [one for one in paths if one.exists()]

    def findings_in(self, path: Path) -> tuple[Finding, ...]:
        """Return what the review says of a file."""
        shown = shown_path(path, self._config.rootpath)
        return tuple(one for one in self._review.findings if one.place.path == shown)

    def not_checked_in(self, path: Path) -> tuple[NotChecked, ...]:
        """Return what the review did not look at in a file."""
        shown = shown_path(path, self._config.rootpath)
        return tuple(one for one in self._review.not_checked if one.place.path == shown)


class SourceFile(pytest.File):
    """A file to review; nothing of it is imported."""

    hooks: ReviewHooks

    @classmethod
    def reviewed_by(cls, hooks: ReviewHooks, session: pytest.Session, path: Path) -> SourceFile:
        """Return the collector of a file."""
        file: SourceFile = cls.from_parent(session, path=path)
        file.hooks = hooks
        return file

    def collect(self) -> Iterable[pytest.Item]:
        """Return its one item."""
        item: ReviewItem = ReviewItem.from_parent(self, name=_ITEM)
        item.hooks = self.hooks
        return [item]


class ReviewItem(pytest.Item):
    """The review of one file."""

    hooks: ReviewHooks

    def runtest(self) -> None:
        """Fail for a finding on a MUST, and warn of one on a SHOULD."""
        unread = self.hooks.not_checked_in(self.path)
        if unread:
            text = "".join(f"{one.place}: {one.reason}\n" for one in unread)
            self.add_report_section("call", "not checked by the review", text)
        if any(one.reason.startswith("the file ") for one in unread):
            pytest.skip(unread[0].reason)
        findings = self.hooks.findings_in(self.path)
        if any(self._fails(one) for one in findings):
            raise _BreachError(findings)
        try:
            for one in findings:
                message = f"{one.rule.id} {one.rule.level}: {one.seen}"
                warnings.warn_explicit(ReviewWarning(message), None, str(self.path), one.place.line)
        except ReviewWarning:  # the user's filter makes errors of warnings
            raise _BreachError(findings) from None

    def _fails(self, finding: Finding) -> bool:
        return self.hooks.strict or finding.rule.level is Level.MUST

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: TracebackStyle | None = None
    ) -> str | TerminalRepr:
        """Return the findings as ``taskq review`` shows them; the first that fails is the summary's."""
        if not isinstance(excinfo.value, _BreachError):
            return super().repr_failure(excinfo, style)
        findings = excinfo.value.findings
        first = next((one for one in findings if self._fails(one)), findings[0])
        message = f"{first.rule.id}: {first.seen} ({first.place})"
        more = len(findings) - 1
        place = Location(str(self.path), first.place.line)
        return as_longrepr("\n".join(_lines(findings)), f"{message} and {more} more" if more else message, place)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return the place for the report."""
        return self.path, None, f"{_ITEM} of {self.path.name}"


class _NotImported(pytest.File):
    def collect(self) -> Iterable[pytest.Item]:
        return []


def _lines(findings: tuple[Finding, ...]) -> Iterator[str]:
    explained: set[str] = set()
    for one in findings:
        yield from (text for text, _ in finding_lines(one, is_first=one.rule.id not in explained))
        explained.add(one.rule.id)
