"""Where a check says what it explored and what it found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq.contract import Finding, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence


class FindingRaised(Exception):  # noqa: N818 - a finding, not an error of ours
    """Ends a check with the finding it carries."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(f"{finding.requirement} {finding.verdict.value}: {finding.reason}")
        self.finding = finding


class RequirementFailed(FindingRaised):
    """An instrument found that the code under test breaks the requirement."""


class RequirementNotRun(FindingRaised):
    """An instrument could not judge the requirement."""


class RequirementInconclusive(FindingRaised):
    """An instrument ran out of budget, samples, overlap or quiet."""


_RAISED = {
    Verdict.FAIL: RequirementFailed,
    Verdict.NOT_RUN: RequirementNotRun,
    Verdict.INCONCLUSIVE: RequirementInconclusive,
}


class Record:
    """The notes of one check."""

    def __init__(self) -> None:
        self.time_note = ""
        self.forget()

    def forget(self) -> None:
        """Begin again, with a check that is made once more."""
        self._explored: list[str] = []
        self._findings: list[Finding] = []
        self.timed: dict[str, Sequence[float]] = {}

    @property
    def findings(self) -> Sequence[Finding]:
        """What instruments found, in their order."""
        return tuple(self._findings)

    @property
    def explored_text(self) -> str:
        """What a PASS of this check rests on."""
        return "; ".join(self._explored)

    def explored(self, text: str) -> None:
        """Say what was explored, as ``"200 programs of up to 30 calls"``."""
        self._explored.append(text)

    def time(self, call: str, seconds: Sequence[float]) -> None:
        """Keep how long each call took, for tools that compare runs."""
        self.timed[call] = seconds

    def add(self, finding: Finding) -> None:
        """Keep an instrument's finding; one that is FAIL, NOT RUN or INCONCLUSIVE ends the check."""
        self._findings.append(finding)
        if finding.verdict in _RAISED:
            raise _RAISED[finding.verdict](finding)
