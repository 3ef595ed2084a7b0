"""What changed from one report to the next, for the reviewer of the change; pure.

A requirement that is no longer graded is as loud as one that fails: both keep a defect from being seen.

A latency is compared by its ratios to the floor, one for each pair of blocks of the same minute, so that two machines,
or one on two days, can be compared at all. "Slower" says that the ratios lie above the earlier ones by more than
``MARGIN``: the earlier are raised by the margin and the rank test must reject that the later are no higher. Two runs of
the same code differ by less than the margin (another file, another layout of memory); where they do, one comparison of
two reports calls any of its latencies slower or faster wrongly with a probability of at most ``ERROR``. That holds for
ratios that are independent; where neighbours resemble each other, their medians are compared instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import exp, log
from statistics import median
from typing import TYPE_CHECKING

from pytest_taskq.contract import Verdict
from pytest_taskq.reports.rank_sums import independent, least_probability, probability_of_no_shift
from pytest_taskq.reports.run_report import GRADED
from pytest_taskq.reports.stored_report import FACTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_taskq.reports.stored_report import StoredCall, StoredReport, StoredRequirement

MARGIN = 0.20
ERROR = 1e-3
_FAILING = (Verdict.FAIL, Verdict.NOT_RUN, Verdict.KNOWN)


class Change(StrEnum):
    """What happened to a requirement, worst first."""

    FAILS = "newly failing"
    NOT_GRADED = "newly not graded"
    KNOWN = "newly known"
    FIXED = "fixed"
    GRADED = "newly graded"


class Shift(StrEnum):
    """What happened to a latency, worst first."""

    SLOWER = "slower"
    GONE = "no longer measured"
    UNDECIDED = "too few measurements to compare"
    FASTER = "faster"
    SAME = "within the noise"


WORSE = frozenset({Change.FAILS, Change.NOT_GRADED, Shift.SLOWER, Shift.GONE})


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementChange:
    """One requirement that changed; ``before`` and ``after`` are verdicts, or why there is none."""

    change: Change
    id: str
    level: str
    role: str
    before: str
    after: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyChange:
    """One latency; medians of the ratios to the floor, None where it was not measured."""

    shift: Shift
    requirement: str
    name: str
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A condition that is not the same in both reports."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All of it; ``still`` are requirements that fail or are not graded in both reports, by id with the verdict."""

    base: StoredReport
    head: StoredReport
    changes: tuple[RequirementChange, ...]
    latencies: tuple[LatencyChange, ...]
    differences: tuple[Difference, ...]
    still: tuple[tuple[str, Verdict], ...]
    latencies_apart: str

    @property
    def worse(self) -> bool:
        """Whether a reviewer has to look: something fails, is no longer graded or measured, or is slower."""
        return any(one.change in WORSE for one in self.changes) or any(one.shift in WORSE for one in self.latencies)


def compare(base: StoredReport, head: StoredReport) -> Comparison:
    """Return what changed from ``base`` to ``head``."""
    names = [*head.requirements, *(name for name in base.requirements if name not in head.requirements)]
    changes = [change for name in names if (change := _change(name, base, head)) is not None]
    apart = _apart(base, head)
    latencies = [] if apart else [*_latencies(base, head)]
    order = [*Change]
    shifts = [*Shift]
    return Comparison(
        base=base,
        head=head,
        changes=tuple(sorted(changes, key=lambda one: (order.index(one.change), one.level, one.id))),
        latencies=tuple(sorted(latencies, key=lambda one: (shifts.index(one.shift), one.requirement, one.name))),
        differences=tuple(_differences(base, head)),
        still=tuple(_still(base, head)),
        latencies_apart=apart,
    )


def _change(name: str, base: StoredReport, head: StoredReport) -> RequirementChange | None:
    before, after = base.requirements.get(name), head.requirements.get(name)
    change = _kind(before.verdict if before else None, after.verdict if after else None)
    known = after or before
    if change is None or known is None:
        return None
    return RequirementChange(
        change=change,
        id=name,
        level=known.level,
        role=known.role,
        before=_said(name, before, base),
        after=_said(name, after, head),
        reason=after.reason if after else "",
    )


def _kind(before: Verdict | None, after: Verdict | None) -> Change | None:
    """Return what the step between two verdicts is; None is "not in the report"."""
    if before is after:
        return None
    if after is Verdict.FAIL:
        return Change.FAILS
    if after is Verdict.NOT_RUN or (before in GRADED and after not in GRADED):
        return Change.NOT_GRADED
    if after is Verdict.KNOWN:
        return Change.KNOWN
    if after is not Verdict.PASS:
        return None  # was not graded, and is not
    return Change.FIXED if before in _FAILING else Change.GRADED


def _said(name: str, one: StoredRequirement | None, report: StoredReport) -> str:
    if one is not None:
        return one.verdict.value
    if name in report.not_selected:
        return "not selected"
    return "waits for an instrument" if name in report.waiting else "not in the report"


def _still(base: StoredReport, head: StoredReport) -> Iterator[tuple[str, Verdict]]:
    for name, one in head.requirements.items():
        before = base.requirements.get(name)
        passes = before is None or Verdict.PASS in (before.verdict, one.verdict)
        if before is not None and not passes and _kind(before.verdict, one.verdict) is None:
            yield name, one.verdict


def _differences(base: StoredReport, head: StoredReport) -> Iterator[Difference]:
    for what in FACTS:
        before, after = base.facts.get(what, "not said"), head.facts.get(what, "not said")
        if before != after:
            yield Difference(what=what, before=before, after=after)


# --- latencies --------------------------------------------------------------------------------------------------------


def _apart(base: StoredReport, head: StoredReport) -> str:
    """Return why the latencies of two reports cannot be compared, "" if they can."""
    before, after = (report.facts.get("backend", "").partition(" ")[0] for report in (base, head))
    if base.calls and head.calls and before != after:
        return f"they were measured on {before} and on {after}, whose floors are different transactions"
    return ""


def _latencies(base: StoredReport, head: StoredReport) -> Iterator[LatencyChange]:
    both = [key for key in base.calls if key in head.calls]
    error = ERROR / max(1, 2 * len(both))  # each is asked two questions; together they err as rarely as was said
    for key in sorted({*base.calls, *head.calls}):
        before, after = base.calls.get(key), head.calls.get(key)
        shift = _shift(before, after, error)
        if shift is not None:
            yield LatencyChange(
                shift=shift, requirement=key[0], name=key[1], before=_typical(before), after=_typical(after)
            )


def _shift(before: StoredCall | None, after: StoredCall | None, error: float) -> Shift | None:
    if before is None or not before.ratios:
        return None
    if after is None or not after.ratios:
        return Shift.GONE
    if least_probability(len(before.ratios), len(after.ratios)) > error:
        return Shift.UNDECIDED
    old, new = (independent([log(ratio) for ratio in call.ratios]) for call in (before, after))
    if probability_of_no_shift(_raised(old), new) <= error:
        return Shift.SLOWER
    return Shift.FASTER if probability_of_no_shift(_raised(new), old) <= error else Shift.SAME


def _raised(logarithms: Sequence[float]) -> list[float]:
    return [value + log(1 + MARGIN) for value in logarithms]


def _typical(call: StoredCall | None) -> float | None:
    return exp(median(map(log, call.ratios))) if call and call.ratios else None
