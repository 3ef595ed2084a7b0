"""The count that decides about a percentile: how many samples exceeded the target, and how many may by chance.

Were the p95 just at the target, each sample would exceed it with probability 0.05. So FAIL says that so many had come
with a probability below ``FALSE_ALARM`` from code that keeps the target, PASS that so few had come with one below
``FALSE_PASS`` from code that does not. Between the two there are too few samples to say.
"""

from __future__ import annotations

from dataclasses import dataclass

from pytest_taskq.contract import Verdict
from pytest_taskq.latency.binomial import proved_to, refuted_from

FALSE_ALARM = 1e-9
FALSE_PASS = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Exceedance:
    """``exceeded`` of ``samples`` were above the target, of which a share of ``share`` may be.

    ``looks`` is how often a series that still grows is judged: the errors are divided by it, and their sum stays.
    """

    samples: int
    exceeded: int
    share: float
    looks: int = 1

    @property
    def fails_from(self) -> int | None:
        """The least count that is a FAIL; None where all of them would not be enough."""
        return refuted_from(self.samples, self.share, FALSE_ALARM / self.looks)

    @property
    def passes_to(self) -> int | None:
        """The largest count that is a PASS; None where none at all would not be enough."""
        return proved_to(self.samples, self.share, FALSE_PASS / self.looks)

    @property
    def verdict(self) -> Verdict:
        """FAIL, PASS, or INCONCLUSIVE: too few samples."""
        if self.fails_from is not None and self.exceeded >= self.fails_from:
            return Verdict.FAIL
        if self.passes_to is not None and self.exceeded <= self.passes_to:
            return Verdict.PASS
        return Verdict.INCONCLUSIVE
