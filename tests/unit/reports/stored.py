"""Reports as other programs read them, made small."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_taskq.contract.requirements import REQUIREMENTS


def plain_report(
    verdicts: Mapping[str, str],
    *,
    ratios: Mapping[str, Sequence[float]] | None = None,
    not_selected: Sequence[str] = (),
    reason: str = "expected True; seen False",
    **facts: str,
) -> dict[str, Any]:
    listed = [_requirement(name, verdict, reason) for name, verdict in verdicts.items()]
    if ratios is not None:
        calls = [{"name": name, "method": name, "ratios": list(some)} for name, some in ratios.items()]
        listed.append(_requirement("LAT-01", "PASS", "", {"latency": {"calls": calls}}))
    said = {"contract": "1.0", "kit": "0.1.0", "adapter": "team:Ours", "backend": "sqlite 3.45.0", "clock": "vfs"}
    return {
        "format": 1,
        **said,
        "effort": "pr",
        "seed": 7,
        **facts,
        "requirements": listed,
        "not_selected": list(not_selected),
        "waiting": {},
    }


def _requirement(name: str, verdict: str, reason: str, details: Mapping[str, Any] | None = None) -> dict[str, Any]:
    finding = {"KNOWN": "FAIL"}.get(verdict, verdict)
    one = REQUIREMENTS.get(name)
    return {
        "id": name,
        "level": one.level.value if one else "MUST",
        "role": one.role.value if one else "client",
        "verdict": verdict,
        "reason": "" if verdict == "PASS" else reason,
        "findings": [{"instrument": "model", "finding": finding, "check": "test_model::T.t", "details": details or {}}],
    }
