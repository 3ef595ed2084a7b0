"""Whether a call takes longer where there is more: blocks at the larger depth in turns with blocks at the smaller."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pytest_taskq.contract import Verdict
from pytest_taskq.latency.judgement import Judgement, Measurement, in_ms
from pytest_taskq.latency.quantiles import Quantile


@dataclass(frozen=True, kw_only=True)
class Growth(Measurement):
    """The medians at ``deep`` are to be at most ``limit`` times those at ``shallow``, which stand in for the floor."""

    deep: int
    shallow: int
    limit: float

    @cached_property
    def judgement(self) -> Judgement:
        """The verdict: that of a sign test over the pairs."""
        verdict = self.ratio.above(self.limit, self.looks)
        if verdict is Verdict.PASS:
            return Judgement(verdict)
        beyond = sum(ratio > self.limit for ratio in self.ratio.ratios)
        seen = (
            f"in {beyond} of {len(self.pairs)} pairs of blocks {self.name} took more than {self.limit:g} times as long "
            f"at {self.deep} queued as at {self.shallow}"
        )
        return Judgement(verdict, seen if verdict is Verdict.FAIL else f"too few agree: {seen}")

    def __str__(self) -> str:
        """The figures in one line."""
        ratio = self.ratio
        interval = "" if ratio.low is None or ratio.high is None else f" ({ratio.low:.2f} to {ratio.high:.2f})"
        deep, shallow = (in_ms(Quantile.of(seconds, 0.5).value) for seconds in (self.seconds, self.floor))
        return (
            f"{self.name} p50 {shallow} at {self.shallow} queued, {deep} at {self.deep}: {ratio.median:.2f} times"
            f"{interval}, at most {self.limit:g}; {len(self.pairs)} pairs of blocks"
        )
