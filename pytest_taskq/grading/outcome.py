"""What the end of a check says about its requirement."""

from __future__ import annotations

import traceback
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_taskq.clock import ClockUnavailableError
from pytest_taskq.contract import Finding, Instrument, Requirement, Verdict
from pytest_taskq.grading.call_lines import violation_details
from pytest_taskq.grading.record import FindingRaised
from pytest_taskq.subject.violation import (
    CallHungError,
    ContractViolation,
    InconclusiveError,
    NotJudgedError,
    UnsupportedError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_taskq.grading.record import Record


def findings_of(
    error: BaseException | None, record: Record, requirement: Requirement, instrument: Instrument
) -> list[Finding]:
    """Return the findings of a check that ended with ``error``, or without one."""
    found = [_noted(one, record) for one in record.findings]
    if isinstance(error, FindingRaised):
        return found
    if error is not None:
        return [*found, finding_of(error, requirement, instrument)]
    passed = Finding.of(requirement, instrument, Verdict.PASS, explored=record.explored_text)
    return found or [_noted(passed, record)]


def _noted(finding: Finding, record: Record) -> Finding:
    """Return the finding with how time was moved, where that is to be said of a PASS."""
    if finding.verdict is not Verdict.PASS or not record.time_note:
        return finding
    return replace(finding, explored=", ".join(filter(None, (finding.explored, record.time_note))))


def finding_of(error: BaseException, requirement: Requirement, instrument: Instrument) -> Finding:
    """Return what ``error`` says: a broken contract is a FAIL, anything that kept the check from judging is not."""
    verdict, reason, evidence = Verdict.NOT_RUN, str(error), ""
    details: dict[str, Any] = {}
    if isinstance(error, ContractViolation):
        reason = f"expected {error.expected}; seen {first_line(error.seen)}"
        evidence, details = violation_text(error), violation_details(error)
        if error.method is None or error.method in requirement.grades:
            verdict = Verdict.FAIL
        else:
            reason = f"{error.method}, which it needs and does not grade, broke the contract: {reason}"
    elif isinstance(error, UnsupportedError):
        verdict = Verdict.UNSUPPORTED
    elif isinstance(error, InconclusiveError):
        verdict = Verdict.INCONCLUSIVE
    elif not isinstance(error, NotJudgedError | CallHungError | ClockUnavailableError):
        reason = f"the kit's own check broke: {type(error).__name__}: {first_line(str(error))}"
        evidence = "".join(traceback.format_exception(error)).rstrip()
    if not evidence and "\n" in reason:
        reason, _, evidence = reason.partition("\n")
    reason = first_line(reason) or f"{type(error).__name__}, which does not say why"
    return Finding.of(requirement, instrument, verdict, reason=reason, evidence=evidence, details=details)


def violation_text(violation: ContractViolation) -> str:
    """Return the calls, what was expected of the last one and what was seen."""
    lines: list[str] = ["calls", *violation.calls] if violation.calls else []
    lines += _labelled("expected", violation.expected)
    lines += _labelled("seen", violation.seen)
    return "\n".join(lines)


def first_line(text: str) -> str:
    """Return the line of ``text`` that says most: of a traceback the last one, else the first."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return ""
    is_traceback = any(line.startswith("Traceback (most recent call last)") for line in lines)
    return f"{lines[0]} {lines[-1]}" if is_traceback and len(lines) > 1 else lines[0]


def _labelled(label: str, text: str) -> Sequence[str]:
    first, *rest = text.splitlines() or [""]
    return [f"{label:<10} {first}", *(f"{'':<11}{line}" for line in rest)]
