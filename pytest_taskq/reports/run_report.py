"""What a run comes to: one frozen model, built once from the findings; every view only renders it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_taskq.contract import Finding, Instrument, Level, Requirement, Role, Verdict, combine
from pytest_taskq.contract.requirements import REQUIREMENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

COVERAGE_TARGET = 80  # percent
GRADED = frozenset({Verdict.PASS, Verdict.FAIL, Verdict.KNOWN})
_DECIDED_BY: dict[Verdict, tuple[Verdict, ...]] = {
    Verdict.KNOWN: (Verdict.FAIL, Verdict.NOT_RUN),
    Verdict.NOT_RUN: (Verdict.NOT_RUN, Verdict.UNSUPPORTED),
}
_INSTRUMENTS = list(Instrument)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A finding, the check that gave it, and why its failure is known, if it is."""

    finding: Finding
    check: str
    known: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the run was: which code, where, and how it can be repeated."""

    kit: str
    contract: str
    adapter: str
    backend: str
    clock: str
    seed: int
    effort: str
    roles: Mapping[Role, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What there is to judge.

    ``graded`` are the requirements that are about the team's code and offered, ``reference_alone`` the number of those
    with checks that only the reference would answer, ``checks`` per requirement the tests of each check, and
    ``instruments`` per requirement those that this version has.
    """

    graded: Sequence[Requirement]
    reference_alone: int
    checks: Mapping[str, Mapping[str, int]]
    instruments: Mapping[str, frozenset[Instrument]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementReport:
    """One requirement: its verdict, what it rests on, and the finding that decided it."""

    requirement: Requirement
    verdict: Verdict
    judged: tuple[Judged, ...]
    known: str = ""

    @property
    def unsupported(self) -> bool:
        """Whether none of the instruments that were tried can judge this code, or on this machine."""
        return _unsupported(self.judged)

    @property
    def lacks_timing(self) -> bool:
        """Whether calls of it were to be timed, and that gave no verdict."""
        return any(
            one.finding.instrument is Instrument.TIMING and one.finding.verdict is Verdict.INCONCLUSIVE
            for one in self.judged
        )

    @property
    def decisive(self) -> Finding | None:
        """The first finding with evidence against it, or that kept it from being judged; None for a PASS."""
        if self.verdict in (Verdict.PASS, Verdict.NOT_SELECTED):
            return None
        wanted = _DECIDED_BY.get(self.verdict, (self.verdict,))
        return next((one.finding for verdict in wanted for one in self.judged if one.finding.verdict is verdict), None)

    @property
    def reason(self) -> str:
        """Why it is not a PASS, in one line."""
        if self.verdict is Verdict.KNOWN:
            return self.known
        return self.decisive.reason if self.decisive else ""

    @property
    def explored(self) -> str:
        """What it rests on, by instrument."""
        return "; ".join(
            f"{instrument.value}: {text}" for instrument in _INSTRUMENTS if (text := self._explored_by(instrument))
        )

    def _explored_by(self, instrument: Instrument) -> str:
        mine = [one.finding for one in self.judged if one.finding.instrument is instrument]
        passed = [finding for finding in mine if finding.verdict is Verdict.PASS]
        texts = [finding.explored for finding in passed if finding.explored]
        plain = len(passed) - len(texts)
        counted = [f"{plain} {'check' if plain == 1 else 'checks'}"] if plain else []
        return ", ".join([*dict.fromkeys(texts), *counted])


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The counts of the one-line result; graded is PASS, FAIL or KNOWN."""

    must_graded: int
    must_passed: int
    should_graded: int
    should_passed: int
    not_offered: int
    inconclusive: int
    not_run: int
    known: int

    @property
    def graded(self) -> int:
        """MUST and SHOULD together."""
        return self.must_graded + self.should_graded


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeCoverage:
    """How many statements of the team's package there are, and how many of them did not run."""

    package: str
    statements: int
    missed: int

    @property
    def percent(self) -> int:
        """Rounded down: 80 is reached by 80 % and no less."""
        return 100 * (self.statements - self.missed) // self.statements


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """Everything a view may show.

    ``waiting`` are graded requirements that no instrument of this version can judge while some are to come, ``partly``
    those that were judged without some of theirs. ``coverage`` is there if pytest-cov measured the team's package.
    """

    facts: Facts
    requirements: tuple[RequirementReport, ...]
    not_selected: tuple[str, ...]
    waiting: Mapping[str, tuple[Instrument, ...]]
    partly: Mapping[str, tuple[Instrument, ...]]
    reference_alone: int
    coverage: CodeCoverage | None = None
    summary: Summary = field(init=False)

    def __post_init__(self) -> None:
        """Count once."""
        object.__setattr__(self, "summary", _summary(self.requirements))

    def having(self, *verdicts: Verdict) -> list[RequirementReport]:
        """Return the requirements with one of these verdicts, in the contract's order."""
        return [one for one in self.requirements if one.verdict in verdicts]


def history_files(report: RunReport) -> list[str]:
    """Return where the histories lie that findings of the report rest on."""
    findings = [judged.finding for one in report.requirements for judged in one.judged]
    return [file for one in findings if (file := one.details.get("history", {}).get("file"))]


def build_report(facts: Facts, plan: Plan, judged: Iterable[Judged]) -> RunReport:
    """Return the report of a run from all that was found, whatever the order in which it came."""
    by_requirement: dict[str, list[Judged]] = {}
    for one in judged:
        by_requirement.setdefault(one.finding.requirement, []).append(one)
    lacking = _lacking(plan)
    reports = [_requirement_report(plan, name, by_requirement[name]) for name in REQUIREMENTS if name in by_requirement]
    reports = [one for one in reports if one.verdict is not Verdict.NOT_SELECTED]
    unsupported = {one.requirement.id for one in reports if one.unsupported}
    selected = {one.requirement.id for one in reports}
    waiting = {name for name in lacking if name in unsupported or name not in plan.checks}
    return RunReport(
        facts=facts,
        requirements=tuple(one for one in reports if one.requirement.id not in waiting),
        not_selected=tuple(one.id for one in plan.graded if one.id in plan.checks and one.id not in selected),
        waiting={name: lacks for name, lacks in lacking.items() if name in waiting},
        partly={name: lacks for name, lacks in lacking.items() if name in selected - waiting},
        reference_alone=plan.reference_alone,
    )


def _lacking(plan: Plan) -> dict[str, tuple[Instrument, ...]]:
    """Return the instruments that the contract names and this version does not have, where there are some."""
    has = {one.id: plan.instruments.get(one.id, frozenset()) for one in plan.graded}
    lacking = {one.id: tuple(each for each in one.instruments if each not in has[one.id]) for one in plan.graded}
    return {name: lacks for name, lacks in lacking.items() if lacks}


def _unsupported(found: Iterable[Judged]) -> bool:
    return all(one.finding.verdict is Verdict.UNSUPPORTED for one in found)


def _requirement_report(plan: Plan, requirement_id: str, found: list[Judged]) -> RequirementReport:
    requirement = REQUIREMENTS[requirement_id]
    order = {instrument: number for number, instrument in enumerate(_INSTRUMENTS)}
    found = sorted(found, key=lambda one: (order[one.finding.instrument], one.check, one.finding.reason))
    verdict = combine(one.finding for one in found)
    known = next((one.known for one in found if one.known), "")
    failing = [one for one in found if one.finding.verdict in (Verdict.FAIL, Verdict.NOT_RUN)]
    if known and all(one.known for one in failing):
        verdict = Verdict.KNOWN
    elif (verdict is Verdict.PASS or _unsupported(found)) and not _whole(plan.checks.get(requirement_id, {}), found):
        verdict = Verdict.NOT_SELECTED
    return RequirementReport(requirement=requirement, verdict=verdict, judged=tuple(found), known=known)


def _whole(shipped: Mapping[str, int], found: Iterable[Judged]) -> bool:
    ran = Counter(one.check for one in found)
    return all(ran[check] >= count for check, count in shipped.items())


def _summary(requirements: Iterable[RequirementReport]) -> Summary:
    by_level = Counter((one.requirement.level, one.verdict) for one in requirements)
    verdicts = Counter(one.verdict for one in requirements)
    graded = {level: sum(by_level[level, verdict] for verdict in GRADED) for level in Level}
    return Summary(
        must_graded=graded[Level.MUST],
        must_passed=by_level[Level.MUST, Verdict.PASS],
        should_graded=graded[Level.SHOULD],
        should_passed=by_level[Level.SHOULD, Verdict.PASS],
        not_offered=verdicts[Verdict.NOT_OFFERED],
        inconclusive=verdicts[Verdict.INCONCLUSIVE],
        not_run=verdicts[Verdict.NOT_RUN],
        known=verdicts[Verdict.KNOWN],
    )
