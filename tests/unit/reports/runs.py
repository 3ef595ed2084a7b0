"""Runs that came to something, made without a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pytest_taskq.contract import Finding, Instrument, Role, Verdict
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.reports.run_report import Facts, Judged, Plan, RunReport, build_report

FACTS = Facts(
    kit="0.1.0",
    contract="1.0",
    adapter="team:Ours",
    backend="sqlite 3.45.0",
    clock="vfs",
    seed=7,
    effort="pr",
    roles=dict.fromkeys(Role, "graded"),
)


def run_report(
    verdicts: Mapping[str, str], *, reason: str = "expected True; seen False", not_selected: Sequence[str] = ()
) -> RunReport:
    """A report with these verdicts by requirement; KNOWN is a failure that is listed."""
    names = [*verdicts, *not_selected]
    plan = Plan(
        graded=[REQUIREMENTS[name] for name in names],
        reference_alone=0,
        checks={name: {"check": 1} for name in names},
        instruments={name: frozenset(Instrument) for name in names},
    )
    return build_report(FACTS, plan, [_judged(name, verdict, reason) for name, verdict in verdicts.items()])


def _judged(name: str, verdict: str, reason: str) -> Judged:
    known = verdict == "KNOWN"
    found = Finding.of(REQUIREMENTS[name], Instrument.MODEL, Verdict.FAIL if known else Verdict(verdict))
    if found.verdict is not Verdict.PASS:
        found = replace(found, reason=reason, replay=f"pytest --taskq-conformance -k {name} --taskq-seed=7")
    return Judged(finding=found, check="check", known="slow to mend" if known else "")
