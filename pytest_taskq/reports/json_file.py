"""``report.json``: the report on disk, versioned, for other programs to read."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_taskq.reports.run_report import COVERAGE_TARGET

if TYPE_CHECKING:
    from pytest_taskq.reports.run_report import CodeCoverage, Judged, RequirementReport, RunReport, Summary

FORMAT = 1
NAME = "report.json"


def write_json(report: RunReport, folder: Path) -> Path:
    """Write the report to ``folder`` and return its path; a reader sees the old file or the new one, never a part."""
    folder.mkdir(parents=True, exist_ok=True)
    handle, unfinished = tempfile.mkstemp(dir=folder, prefix=f".{NAME}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(as_plain(report), file, indent=2, ensure_ascii=False)
            file.write("\n")
        Path(unfinished).chmod(0o644)
        return Path(unfinished).replace(folder / NAME)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise


def as_plain(report: RunReport) -> dict[str, Any]:
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
        "verdict": one.verdict.value,
        "reason": one.reason,
        "explored": one.explored,
        "findings": [_finding(judged) for judged in one.judged],
        "evidence": decisive.evidence if decisive else "",
        "replay": decisive.replay if decisive else "",
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
        "details": dict(finding.details),
    }
