"""The top of the page: what the run was, what it came to by role, how strong it was, and what it does not say."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_taskq.reports.html.words import WORDS, Word, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_taskq.reports.html.plain import Plain
    from pytest_taskq.reports.html.requirement_view import RequirementView

_ROLES = ("infrastructure", "client", "engine", "scheduling", "observability", "maintenance")


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A row of the matrix: whose code it is, and the requirements by verdict."""

    role: str
    code: str
    counts: Sequence[tuple[Word, int]]
    requirements: Sequence[RequirementView]


@dataclass(frozen=True, slots=True)
class InstrumentRow:
    """What one instrument did in the run."""

    instrument: str
    requirements: int
    findings: int
    counts: Sequence[tuple[str, int]]
    seconds: str


@dataclass(frozen=True, slots=True)
class Overview:
    """All that the template shows above the requirements."""

    headline: str
    style: str
    result: str
    adapter: str
    facts: Sequence[tuple[str, str]]
    replay: str
    words: Sequence[Word]
    roles: Sequence[RoleRow]
    instruments: Sequence[InstrumentRow]
    seconds: str
    gaps: Sequence[tuple[str, str]]


def overview_of(report: Plain, requirements: Sequence[RequirementView]) -> Overview:
    """Return the overview of a report."""
    words = [word for word in WORDS if any(one.word == word for one in requirements)]
    broken = [one for one in requirements if one.word.verdict in ("FAIL", "NOT RUN")]
    return Overview(
        headline=_headline(requirements),
        style="fail" if broken else "pass" if requirements else "other",
        result=result_line(report),
        adapter=report["adapter"].text(300) or "an adapter without a name",
        facts=[*_facts(report)],
        replay=_replay(report),
        words=words,
        roles=[*_roles(report, requirements, words)],
        instruments=[*_instruments(requirements)],
        seconds=seconds(sum(finding.seconds for one in requirements for finding in one.findings)),
        gaps=[*_gaps(report, requirements)],
    )


def _headline(requirements: Sequence[RequirementView]) -> str:
    counts = Counter(one.word.verdict for one in requirements)
    said = [
        f"{counts[name]} {what}" for name, what in (("FAIL", "failed"), ("NOT RUN", "could not run")) if counts[name]
    ]
    if said:
        return f"{', '.join(said)} of {len(requirements)}"
    if not requirements:
        return "Nothing was judged"
    passed = counts["PASS"]
    return "All passed" if passed == len(requirements) else f"Nothing failed, {passed} of {len(requirements)} passed"


def result_line(report: Plain) -> str:
    """Return the one line that counts it all, as the terminal prints it."""
    summary = report["summary"]
    parts = []
    for level in ("must", "should"):
        graded, passed = summary[level]["graded"].whole() or 0, summary[level]["passed"].whole() or 0
        if graded:
            parts.append(f"{level.upper()} {passed}/{graded}")
    others = ("known", "not_run", "not_offered", "inconclusive")
    parts += [f"{count} {key.replace('_', ' ')}" for key in others if (count := summary[key].whole())]
    if left := len([*report["not_selected"]]):
        parts.append(f"{left} not selected")
    return " · ".join(parts) or "nothing was graded"


def _facts(report: Plain) -> Iterator[tuple[str, str]]:
    for key in ("backend", "contract", "kit", "effort", "seed", "clock"):
        if value := report[key].text(200):
            yield key, value


def _replay(report: Plain) -> str:
    options = [(name, report[name].text(300)) for name in ("adapter", "effort", "seed")]
    return shlex.join(
        ["pytest", "--taskq-conformance", *(f"--taskq-{name}={value}" for name, value in options if value)]
    )


def _roles(report: Plain, requirements: Sequence[RequirementView], words: Sequence[Word]) -> Iterator[RoleRow]:
    named = [*dict.fromkeys([*_ROLES, *(one.role for one in requirements)])]
    for role in named:
        mine = [one for one in requirements if one.role == role]
        code = report["roles"][role].text(40)
        if mine or code not in ("", "reference"):
            counts = Counter(one.word for one in mine)
            yield RoleRow(role, code, [(word, counts[word]) for word in words], mine)


def _instruments(requirements: Sequence[RequirementView]) -> Iterator[InstrumentRow]:
    findings = [finding for one in requirements for finding in one.findings]
    for instrument in dict.fromkeys(one.instrument for one in findings):
        mine = [one for one in findings if one.instrument == instrument]
        counts = Counter(one.word.verdict for one in mine)
        yield InstrumentRow(
            instrument=instrument,
            requirements=sum(any(one.instrument == instrument for one in each.findings) for each in requirements),
            findings=len(mine),
            counts=[*counts.items()],
            seconds=seconds(sum(one.seconds for one in mine)),
        )


def _gaps(report: Plain, requirements: Sequence[RequirementView]) -> Iterator[tuple[str, str]]:
    """Yield what a reader could take for judged, and is not."""
    for verdict, what in (
        ("NOT RUN", "not run: it could not be judged, which fails the run as a FAIL does"),
        ("INCONCLUSIVE", "inconclusive: budget, samples, overlap or quiet ran out, so neither pass nor fail"),
        ("NOT OFFERED", "not offered: the adapter says so, and nobody graded it"),
        ("KNOWN", "known: it fails, and stands in the file of known failures"),
    ):
        names = [one.id for one in requirements if one.word.verdict == verdict]
        if names:
            yield f"{len(names)} {what}", ", ".join(names)
    waiting = [f"{name} ({', '.join(lacks.texts(40))})" for name, lacks in report["waiting"].items()]
    if waiting:
        yield f"{len(waiting)} waiting for instruments that this version does not have", ", ".join(waiting)
    partly = [f"{name} (without {', '.join(lacks.texts(40))})" for name, lacks in report["partly"].items()]
    if partly:
        yield f"{len(partly)} judged without some of the instruments that the contract names", ", ".join(partly)
    left = report["not_selected"].texts(40)
    if left:
        yield f"{len(left)} not selected: left out, or only a part of the checks ran", ", ".join(left)
    if alone := report["reference_alone"].whole() or 0:
        yield f"{alone} not graded: the reference alone answers", ""
    if report["effort"].text(20) == "smoke":
        yield "effort smoke explores least", "a PASS under pr or soak rests on more"
