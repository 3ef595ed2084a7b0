"""``report.json``: the report on disk, versioned, for other programs and the other views to read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_taskq.certificate.digest import signed
from pytest_taskq.contract import Verdict
from pytest_taskq.reports.badge import NAME as BADGE
from pytest_taskq.reports.badge import badge
from pytest_taskq.reports.known_entry import known_entry
from pytest_taskq.reports.run_report import COVERAGE_TARGET
from pytest_taskq.reports.whole_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_taskq.certificate.certificate import Certificate
    from pytest_taskq.reports.run_report import CodeCoverage, Judged, RequirementReport, RunReport, Summary

FORMAT = 1
NAME = "report.json"


def write_json(report: RunReport, folder: Path, certificate: Certificate | None = None) -> Path:
    """Write the report and its badge to ``folder``, and return the path of the report."""
    _write(badge(report), folder / BADGE)
    return _write(signed(as_plain(report, certificate)), folder / NAME)


def _write(plain: Mapping[str, Any], path: Path) -> Path:
    return write_whole(path, json.dumps(plain, indent=2, ensure_ascii=False) + "\n")


def as_plain(report: RunReport, certificate: Certificate | None = None) -> dict[str, Any]:
    """Return the report as JSON values; keys may be added, never renamed."""
    facts = report.facts
    return {
        "format": FORMAT,
        "contract": facts.contract,
        "kit": facts.kit,
        "adapter": facts.adapter,
        "backend": facts.backend,
        "clock": facts.clock,
        "roles": {role.value: how for role, how in facts.roles.items()},
        "seed": facts.seed,
        "effort": facts.effort,
        "summary": _summary(report.summary),
        "requirements": [_requirement(one) for one in report.requirements],
        "not_selected": list(report.not_selected),
        "waiting": {name: [instrument.value for instrument in lacks] for name, lacks in report.waiting.items()},
        "partly": {name: [instrument.value for instrument in lacks] for name, lacks in report.partly.items()},
        "reference_alone": report.reference_alone,
        "coverage": _coverage(report.coverage) if report.coverage else None,
        "certificate": certificate.as_plain() if certificate else None,
    }


def _coverage(coverage: CodeCoverage) -> dict[str, Any]:
    return {
        "package": coverage.package,
        "statements": coverage.statements,
        "missed": coverage.missed,
        "percent": coverage.percent,
        "target": COVERAGE_TARGET,
    }


def _summary(summary: Summary) -> dict[str, Any]:
    return {
        "must": {"graded": summary.must_graded, "passed": summary.must_passed},
        "should": {"graded": summary.should_graded, "passed": summary.should_passed},
        "not_offered": summary.not_offered,
        "inconclusive": summary.inconclusive,
        "not_run": summary.not_run,
        "known": summary.known,
    }


def _requirement(one: RequirementReport) -> dict[str, Any]:
    decisive = one.decisive
    return {
        "id": one.requirement.id,
        "level": one.requirement.level.value,
        "role": one.requirement.role.value,
        "text": one.requirement.text,
        "why": one.requirement.why,
        "look_at": list(one.requirement.look_at),
        "bugs": list(one.requirement.bugs),
        "instruments": [instrument.value for instrument in one.requirement.instruments],
        "verdict": one.verdict.value,
        "reason": one.reason,
        "explored": one.explored,
        "findings": [_finding(judged) for judged in one.judged],
        "evidence": decisive.evidence if decisive else "",
        "replay": decisive.replay if decisive else "",
        "recheck": decisive.recheck if decisive else "",
        "known_entry": known_entry(one.requirement.id) if one.verdict in (Verdict.FAIL, Verdict.NOT_RUN) else "",
    }


def _finding(judged: Judged) -> dict[str, Any]:
    finding = judged.finding
    return {
        "instrument": finding.instrument.value,
        "finding": finding.verdict.value,
        "explored": finding.explored,
        "seconds": round(finding.seconds, 6),
        "check": judged.check,
        "reason": finding.reason,
        "evidence": finding.evidence,
        "replay": finding.replay,
        "recheck": finding.recheck,
        "details": dict(finding.details),
    }
