"""Findings as builtin values: what pytest-xdist can carry from a worker to the controller."""

from __future__ import annotations

import json
from typing import Any

from pytest_taskq.contract import Finding, Instrument, Verdict
from pytest_taskq.reports.run_report import Judged


def as_plain(judged: Judged) -> dict[str, Any]:
    """Return a finding as a dict of texts and a number; its details travel as JSON."""
    finding = judged.finding
    texts = {
        "requirement": finding.requirement,
        "instrument": finding.instrument.value,
        "verdict": finding.verdict.value,
        "explored": finding.explored,
        "reason": finding.reason,
        "evidence": finding.evidence,
        "replay": finding.replay,
        "recheck": finding.recheck,
        "check": judged.check,
        "known": judged.known,
        "details": json.dumps(dict(finding.details), ensure_ascii=False).encode("utf-8", "replace").decode("utf-8"),
    }
    return {"seconds": float(finding.seconds), **{name: encodable(text) for name, text in texts.items()}}


def from_plain(plain: dict[str, Any]) -> Judged:
    """Return the finding that ``as_plain`` made plain."""
    rest = dict(plain)
    check, known, details = rest.pop("check"), rest.pop("known"), json.loads(rest.pop("details"))
    instrument, verdict = Instrument(rest.pop("instrument")), Verdict(rest.pop("verdict"))
    return Judged(
        finding=Finding(instrument=instrument, verdict=verdict, details=details, **rest), check=check, known=known
    )


def encodable(text: str) -> str:
    """Return ``text`` with lone surrogates spelled out: code under test may put them in an exception."""
    return str(text).encode("utf-8", "backslashreplace").decode("utf-8")
