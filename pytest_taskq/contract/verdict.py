"""Findings of the instruments, and the one rule that makes a verdict of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_taskq.contract.requirement import Instrument, Requirement


class Verdict(StrEnum):
    """What is said of a requirement, or by one instrument of it."""

    PASS = "PASS"  # noqa: S105 - not a password
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    NOT_RUN = "NOT RUN"
    NOT_OFFERED = "NOT OFFERED"
    UNSUPPORTED = "UNSUPPORTED"
    KNOWN = "KNOWN"
    NOT_SELECTED = "NOT SELECTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one instrument found about one requirement.

    ``explored`` says what a PASS rests on; ``reason`` why there is no PASS, in one line; ``evidence`` is the text shown
    under a FAIL; ``replay`` the command that shows it again, ``recheck`` the one that judges what was stored of it once
    more; ``seconds`` how long it took. ``details`` are the figures or the evidence as data, plain JSON values under the
    name of their kind, for the views that draw them.
    """

    requirement: str
    instrument: Instrument
    verdict: Verdict
    explored: str = ""
    reason: str = ""
    evidence: str = ""
    replay: str = ""
    recheck: str = ""
    seconds: float = 0.0
    details: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @classmethod
    def of(
        cls,
        requirement: Requirement,
        instrument: Instrument,
        verdict: Verdict,
        *,
        explored: str = "",
        reason: str = "",
        evidence: str = "",
        replay: str = "",
        recheck: str = "",
        details: Mapping[str, Any] | None = None,
    ) -> Self:
        """Return the finding about a requirement that is at hand."""
        return cls(
            requirement=requirement.id,
            instrument=instrument,
            verdict=verdict,
            explored=explored,
            reason=reason,
            evidence=evidence,
            replay=replay,
            recheck=recheck,
            details=details or {},
        )


# Worst first: one failing instrument outweighs any number of passing ones, and a missing precondition is never hidden
# behind a pass. NOT OFFERED decides only when nothing graded the requirement.
_WORST_FIRST = (
    Verdict.FAIL,
    Verdict.NOT_RUN,
    Verdict.INCONCLUSIVE,
    Verdict.PASS,
    Verdict.NOT_OFFERED,
)


def combine(findings: Iterable[Finding]) -> Verdict:
    """Return the verdict of a requirement from its instruments' findings.

    An unsupported instrument changes nothing, unless all are: then NOT RUN, as for no finding at all.
    """
    seen = {finding.verdict for finding in findings}
    return next((verdict for verdict in _WORST_FIRST if verdict in seen), Verdict.NOT_RUN)
