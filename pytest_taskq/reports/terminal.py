"""The run in the terminal: what was graded, what is not a PASS and why, and one line that counts it all."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from textwrap import TextWrapper
from typing import TYPE_CHECKING

from pytest_taskq.contract import Role, Verdict
from pytest_taskq.reports.run_report import COVERAGE_TARGET, GRADED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pytest_taskq.contract import Instrument
    from pytest_taskq.reports.run_report import Facts, RequirementReport, RunReport

# Worst last: what must be acted on stands next to the result.
_SHOWN = (Verdict.NOT_OFFERED, Verdict.KNOWN, Verdict.INCONCLUSIVE, Verdict.NOT_RUN, Verdict.FAIL)
_MARKUP: dict[Verdict, Mapping[str, bool]] = {
    Verdict.NOT_OFFERED: {},
    Verdict.KNOWN: {"yellow": True},
    Verdict.INCONCLUSIVE: {"yellow": True},
    Verdict.NOT_RUN: {"red": True},
    Verdict.FAIL: {"red": True},
}
_PLAIN = str.maketrans({"·": "-", "…": "...", "\u2013": "-", "—": "-", "≤": "<=", "≥": ">=", "→": "->", "✓": "ok"})


_MARGIN = 4
_OTHERS = 39  # where the last column of the table of roles begins


@dataclass(frozen=True, slots=True)
class Line:
    """A line and how pytest's terminal writer marks it; what does not fit goes on ``hanging`` columns further in."""

    text: str
    markup: Mapping[str, bool] = field(default_factory=dict)
    hanging: int = _MARGIN

    def wrapped(self, width: int | None) -> str:
        """Return the text in lines of at most ``width`` columns; only a word that is longer itself stands out.

        None is no limit.
        """
        if width is None:
            return self.text
        indent = " " * min(self.hanging, width // 2)
        wrapper = TextWrapper(width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
        first, *rest = self.text.splitlines() or [""]
        lines = wrapper.wrap(first)
        wrapper.initial_indent = indent
        return "\n".join([*lines, *(one for line in rest for one in wrapper.wrap(line))])


def fitted(text: str, encoding: str | None) -> str:
    """Return ``text`` as a terminal of that encoding can show it; an old Windows console raises otherwise."""
    encoding = encoding or "ascii"
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return text.translate(_PLAIN).encode("ascii", "replace").decode("ascii")
    return text


def header(facts: Facts) -> str:
    """Return the line that says what is graded and how it can be repeated."""
    how = f"effort {facts.effort}, seed {facts.seed}, clock {facts.clock}"
    return f"taskq: adapter {facts.adapter}, {facts.backend}, {how}"


def result_line(report: RunReport) -> str:
    """Return ``MUST 58/61 · SHOULD 9/11 · 2 not offered · 1 inconclusive``; what is zero is left out."""
    count = report.summary
    graded = [
        f"{level} {passed}/{of}"
        for level, passed, of in (
            ("MUST", count.must_passed, count.must_graded),
            ("SHOULD", count.should_passed, count.should_graded),
        )
        if of
    ]
    others = [
        f"{number} {what}"
        for number, what in (
            (count.known, "known"),
            (count.not_run, "not run"),
            (count.not_offered, "not offered"),
            (count.inconclusive, "inconclusive"),
            (len(report.not_selected), "not selected"),
        )
        if number
    ]
    return " · ".join([*graded, *others]) or "nothing was graded"


def lines(report: RunReport, written: Path | None) -> Iterator[Line]:
    """Yield the section: roles, what is not a PASS, what could not be judged, the result, the report on disk."""
    yield from (Line(row, hanging=_OTHERS) for row in role_table(report))
    verdicts = [one for verdict in _SHOWN for one in report.having(verdict)]
    notes = [*_notes(report)]
    yield from (Line("") for _ in verdicts[:1])
    yield from _verdict_lines(verdicts)
    yield from (Line("") for _ in notes[:1])
    yield from map(Line, notes)
    yield from result(report, written)


def result(report: RunReport, written: Path | None) -> Iterator[Line]:
    """Yield where the report is, and the one line that counts it all."""
    if written:
        yield Line(f"report: {written}")
    broken = report.having(Verdict.FAIL, Verdict.NOT_RUN)
    yield Line(result_line(report), {"red" if broken else "green": True, "bold": True})


def role_table(report: RunReport) -> Iterator[str]:
    """Yield one line per role with something to say: how much of it is the team's, and its requirements by verdict."""
    counts = {
        role: Counter(one.verdict for one in report.requirements if one.requirement.role is role) for role in Role
    }
    yield _role_row("role", "code", "passed")
    for role in Role:
        how = report.facts.roles.get(role, "")
        graded = sum(counts[role][verdict] for verdict in GRADED)
        if not counts[role] and how in ("reference", ""):
            continue
        others = ", ".join(
            f"{counts[role][verdict]} {verdict.value}" for verdict in reversed(_SHOWN) if counts[role][verdict]
        )
        passed = f"{counts[role][Verdict.PASS]}/{graded}" if graded else "-"
        yield f"{_role_row(role.value, how, passed)}   {others}".rstrip()


def _role_row(role: str, code: str, passed: str) -> str:
    return f"{role:<15} {code:<12} {passed:>7}"


def _verdict_lines(verdicts: Iterable[RequirementReport]) -> Iterator[Line]:
    """Yield a line for each; one that is not judged for the same reason as another refers to it."""
    first: dict[str, str] = {}
    for one in verdicts:
        same = first.setdefault(one.reason, one.requirement.id) if one.verdict is Verdict.INCONCLUSIVE else ""
        head = f"{one.verdict.value:<12} {one.requirement.id} {one.requirement.level.value:<6} "
        reason = f"as {same}" if same not in ("", one.requirement.id) else one.reason
        yield Line(head + reason, _MARKUP[one.verdict], hanging=len(head))


def _notes(report: RunReport) -> Iterator[str]:
    if report.waiting:
        yield (
            f"{_requirements(report.waiting)} for instruments this version does not have "
            f"({_instruments(report.waiting)})"
        )
    if report.partly:
        yield f"{len(report.partly)} of the judged ones lack some of their instruments ({_instruments(report.partly)})"
    if report.reference_alone:
        yield f"{report.reference_alone} more are answered by the reference alone and not graded"
    if report.coverage:
        yield f"coverage of {report.coverage.package}: {report.coverage.percent} % (target {COVERAGE_TARGET} %)"


def _requirements(some: Mapping[str, object]) -> str:
    return "1 requirement waits" if len(some) == 1 else f"{len(some)} requirements wait"


def _instruments(lacking: Mapping[str, Iterable[Instrument]]) -> str:
    return ", ".join(dict.fromkeys(instrument.value for lacks in lacking.values() for instrument in lacks))
